import { GatewayError } from '../runtime/errors.ts';
import type { Driver } from './driver.ts';
import { refuseBrokenVersion } from './sqlite-versions.ts';

/**
 * Chosen by bytes written to the device for each sample at 200 a second with a commit a second, batches included: 79 B at
 * 1024, 86 at 2048, 105 at 4096 (`test/store/store-cost.ts`). Only a new file takes it; a file keeps its own.
 */
export const PAGE_SIZE_BYTES = 1024;

/** WAL pages before SQLite copies them into the file: 4 MiB whatever the page size. */
const checkpointPages = (pageSizeBytes: number): number => Math.ceil((4 * 1024 * 1024) / pageSizeBytes);

/** The page cache, in KiB (negative: the unit of `cache_size`): enough for the tails of all tables. */
const CACHE_KIB = -2048;

/**
 * Settings of the connection, in the order SQLite needs: page size and vacuum mode before the first page is written,
 * the exclusive lock before WAL (then the index of the WAL stays in our memory and there is no file for a second gateway
 * to share). The lock is the file's own: a killed process loses it at once.
 */
export async function configure(driver: Driver, pageSizeBytes = PAGE_SIZE_BYTES): Promise<void> {
  refuseBrokenVersion(driver.sqliteVersion);
  try {
    await driver.read('PRAGMA busy_timeout = 0');
    await driver.read('PRAGMA locking_mode = EXCLUSIVE');
    await driver.read(`PRAGMA page_size = ${pageSizeBytes}`);
    await driver.read('PRAGMA auto_vacuum = INCREMENTAL');
    await driver.read('PRAGMA journal_mode = WAL');
    await driver.read('PRAGMA synchronous = FULL');
    await driver.read(`PRAGMA wal_autocheckpoint = ${checkpointPages(pageSizeBytes)}`);
    await driver.read(`PRAGMA journal_size_limit = ${8 * 1024 * 1024}`);
    await driver.read(`PRAGMA cache_size = ${CACHE_KIB}`);
    await driver.transaction([]);
  } catch (error) {
    throw whileOpening(error);
  }
}

/** A disk that already refuses at opening is a wrong or read-only directory, not a fault to wait for. */
const whileOpening = (error: unknown): unknown =>
  error instanceof GatewayError && error.code === 'STORE_IO'
    ? new GatewayError('STORE_OPEN_FAILED', error.message, { context: error.context, cause: error })
    : error;
