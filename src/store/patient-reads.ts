import type { Clock } from '../runtime/clock.ts';
import { GatewayError } from '../runtime/errors.ts';
import type { Row, SqlValue } from './database.ts';
import type { Driver } from './driver.ts';

const PAUSE_MS = 250;
/** Of one salvage together: neither a dead sector nor the missing end of a file, which reads the same, may keep it from ending. */
const MAX_RETRIES = 8;
/** Primary result codes IOERR and CANTOPEN: the file could not be read, which says nothing about what is in it. */
const UNREADABLE: ReadonlySet<number> = new Set([10, 14]);

/**
 * Reads of a damaged store, where every row that cannot be read is lost: what fails because the disk fails is tried again for a
 * while before it counts as unreadable.
 */
export function patientReads(driver: Driver, clock: Clock): Driver {
  let retries = MAX_RETRIES;
  return {
    name: driver.name,
    sqliteVersion: driver.sqliteVersion,
    async read(sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
      for (;;) {
        try {
          return await driver.read(sql, params);
        } catch (error) {
          if (!isUnreadable(error) || retries === 0) throw error;
          retries -= 1;
          await new Promise<void>((resolve) => {
            clock.after(PAUSE_MS, resolve);
          });
        }
      }
    },
    transaction: (statements) => driver.transaction(statements),
    close: () => driver.close(),
  };
}

const isUnreadable = (error: unknown): boolean =>
  error instanceof GatewayError && UNREADABLE.has(Number(error.context['resultCode'] ?? 0) & 0xff);
