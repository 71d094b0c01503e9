import { GatewayError, messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Row, SqlValue, Statement } from './database.ts';
import type { Driver, DriverName } from './driver.ts';
import { closedError } from './sqlite-fault.ts';

export interface ReopeningParts {
  /** Opens the same file again and proves that nobody changed it in between; rejects while the disk refuses. */
  readonly connect: () => Promise<Driver>;
  /** Called once, when a fresh connection finds the file damaged as well: only a salvage helps. */
  readonly onDamaged: (error: GatewayError) => void;
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * A connection that is made anew when the disk failed for a moment: SQLite may hold pages that never reached the disk
 * after an I/O error, and a remounted disk leaves dead file handles. Without a connection calls reject with the fault that
 * keeps it from opening.
 */
export class ReopeningDriver implements Driver {
  readonly name: DriverName;
  readonly sqliteVersion: string;
  readonly #parts: ReopeningParts;
  /** Settings that a new connection does not have by itself, by the text before their value. */
  readonly #settings = new Map<string, string>();
  #current: Driver | GatewayError;
  #opening: Promise<void> | undefined;
  /** Corruption was reported since the last transaction that went through. */
  #isSuspect = false;
  #isDamaged = false;
  #isClosed = false;

  constructor(first: Driver, parts: ReopeningParts) {
    this.name = first.name;
    this.sqliteVersion = first.sqliteVersion;
    this.#current = first;
    this.#parts = parts;
  }

  async read(sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
    try {
      return await this.#call((driver) => driver.read(sql, params));
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      await this.reopen();
    }
    try {
      return await this.#call((driver) => driver.read(sql, params));
    } catch (error) {
      if (isCorrupt(error)) this.#damaged(error);
      throw error;
    }
  }

  async transaction(statements: readonly Statement[]): Promise<void> {
    try {
      await this.#call((driver) => driver.transaction(statements));
      this.#isSuspect = false;
    } catch (error) {
      if (isCorrupt(error)) this.#suspect(error);
      throw error;
    }
  }

  /** A pragma with its value, for this connection and those that follow it. */
  async set(pragma: string, value: number): Promise<void> {
    const sql = `PRAGMA ${pragma} = ${value}`;
    this.#settings.set(pragma, sql);
    await this.#call((driver) => driver.read(sql));
  }

  /** Closes the connection and opens the file again. Never rejects: while there is none, calls say why. */
  reopen(): Promise<void> {
    this.#opening ??= this.#reopen().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#opening;
    if (!(this.#current instanceof GatewayError)) await this.#current.close();
  }

  async #reopen(): Promise<void> {
    const { connect, log, metrics } = this.#parts;
    if (this.#isClosed) return;
    const before = this.#current;
    this.#current = new GatewayError('STORE_IO', 'the store is being opened again');
    if (!(before instanceof GatewayError)) {
      await before.close().catch((error: unknown) => {
        log.warn({ error: messageOf(error) }, 'the connection to the store did not close cleanly');
      });
    }
    metrics.count('cigale_store_reopens_total', 'Times the store was opened again after a fault of the disk.');
    try {
      this.#current = await this.#open(connect);
      log.warn({}, 'the store was opened again');
    } catch (error) {
      this.#current =
        error instanceof GatewayError ? error : new GatewayError('STORE_IO', messageOf(error), { cause: error });
      if (isCorrupt(error)) this.#damaged(error);
    }
  }

  async #open(connect: () => Promise<Driver>): Promise<Driver> {
    const driver = await connect();
    try {
      for (const sql of this.#settings.values()) await driver.read(sql);
      return driver;
    } catch (error) {
      await driver.close();
      throw error;
    }
  }

  #call<T>(work: (driver: Driver) => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(closedError());
    // Without a wait in between where there is a connection: calls must keep their order.
    return this.#opening === undefined ? this.#run(work) : this.#opening.then(() => this.#run(work));
  }

  #run<T>(work: (driver: Driver) => Promise<T>): Promise<T> {
    const current = this.#current;
    return current instanceof GatewayError ? Promise.reject(current) : work(current);
  }

  #suspect(error: GatewayError): void {
    if (this.#isSuspect) this.#damaged(error);
    this.#isSuspect = true;
  }

  #damaged(error: GatewayError): void {
    if (this.#isDamaged) return;
    this.#isDamaged = true;
    this.#parts.onDamaged(error);
  }
}

const isCorrupt = (error: unknown): error is GatewayError =>
  error instanceof GatewayError && error.code === 'STORE_CORRUPT';
