import type { Row, SqlValue, Statement } from './database.ts';
import type { Driver } from './driver.ts';
import { isDiskFault } from './sqlite-fault.ts';

/** What one transaction holds at most. */
const MAX_STATEMENTS = 2000;
const MAX_BYTES = 1024 * 1024;

/** The new store while it is filled: rows are written many together; one that it refuses does not take others with it. */
export class SalvageTarget {
  readonly driver: Driver;
  #waiting: { readonly table: string; readonly statement: Statement }[] = [];
  #bytes = 0;
  readonly #refused = new Map<string, number>();

  constructor(driver: Driver) {
    this.driver = driver;
  }

  /** Rows lost by table: those that made no sense, and those that the new store refused. */
  get refused(): ReadonlyMap<string, number> {
    return this.#refused;
  }

  refuse(table: string, rows = 1): void {
    if (rows > 0) this.#refused.set(table, (this.#refused.get(table) ?? 0) + rows);
  }

  async put(table: string, ...statements: readonly Statement[]): Promise<void> {
    for (const statement of statements) {
      this.#waiting.push({ table, statement });
      for (const param of statement.params) this.#bytes += sizeOf(param);
    }
    if (this.#waiting.length >= MAX_STATEMENTS || this.#bytes >= MAX_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    if (waiting.length === 0) return;
    try {
      await this.driver.transaction(waiting.map(({ statement }) => statement));
    } catch (error) {
      if (isDiskFault(error)) throw error;
      for (const one of waiting) await this.#putAlone(one);
    }
  }

  async #putAlone({ table, statement }: { readonly table: string; readonly statement: Statement }): Promise<void> {
    try {
      await this.driver.transaction([statement]);
    } catch (error) {
      if (isDiskFault(error)) throw error;
      this.refuse(table);
    }
  }
}

export const insertRow = (table: string, columns: readonly string[], row: Row): Statement => ({
  sql: `INSERT OR REPLACE INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  params: columns.map((column) => row[column] ?? null),
});

const sizeOf = (value: SqlValue): number => {
  if (typeof value === 'string') return value.length;
  return value instanceof Uint8Array ? value.byteLength : 8;
};
