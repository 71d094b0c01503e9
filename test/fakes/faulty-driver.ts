import { GatewayError } from '../../src/runtime/errors.ts';
import type { ErrorCode } from '../../src/runtime/error-codes.ts';
import type { Row, SqlValue, Statement } from '../../src/store/database.ts';
import type { Driver } from '../../src/store/driver.ts';

/** What becomes of the next transaction: refused before, or done and reported as refused, as an fsync that fails can. */
export interface Fault {
  readonly code: ErrorCode;
  readonly isApplied: boolean;
}

/** A driver whose transactions fail on demand; what is not failed goes to the real one. */
export class FaultyDriver implements Driver {
  readonly name = 'sqlite3';
  readonly sqliteVersion: string;
  readonly faults: Fault[] = [];
  /** Statements of every transaction that was tried. */
  readonly tried: (readonly Statement[])[] = [];
  /** While set, transactions wait for it. */
  hold: Promise<void> | undefined;
  readonly #real: Driver;

  constructor(real: Driver) {
    this.#real = real;
    this.sqliteVersion = real.sqliteVersion;
  }

  read(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]> {
    return this.#real.read(sql, params);
  }

  async transaction(statements: readonly Statement[]): Promise<void> {
    this.tried.push(statements);
    await this.hold;
    const fault = this.faults.shift();
    if (fault === undefined || fault.isApplied) await this.#real.transaction(statements);
    if (fault !== undefined) throw new GatewayError(fault.code, 'injected');
  }

  close(): Promise<void> {
    return this.#real.close();
  }
}
