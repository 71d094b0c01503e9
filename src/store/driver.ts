import type { Row, SqlValue, Statement } from './database.ts';

/**
 * The seam to an SQL library: one connection to one file, used by one gateway. Calls are run in the order they are made and never
 * interleave, so a read sees committed writes only. No call blocks the main thread while the disk works.
 * Every rejection is a GatewayError whose code says whose fault it is (`sqlite-fault.ts`).
 */
export interface Driver {
  readonly name: DriverName;
  readonly sqliteVersion: string;
  /** All rows of one statement; pragmas that change a setting go through here as well. */
  read(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]>;
  /** BEGIN IMMEDIATE, the statements in order, COMMIT; on any failure nothing of it stays. */
  transaction(statements: readonly Statement[]): Promise<void>;
  /** Idempotent; calls after it reject with STORE_CLOSED. */
  close(): Promise<void>;
}

export const DRIVER_NAMES = ['sqlite3', 'node:sqlite'] as const;
export type DriverName = (typeof DRIVER_NAMES)[number];

/** A connection as a library gives it, before the settings of `pragmas.ts`. */
export type ConnectDriver = (path: string) => Promise<Driver>;

/** Prepared statements kept per connection: the store has about sixty texts, all constant. */
export const MAX_PREPARED_STATEMENTS = 128;
