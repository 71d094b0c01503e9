import { stat } from 'node:fs/promises';
import { GatewayError, systemCode } from '../runtime/errors.ts';
import type { DamagedFiles } from './damaged-files.ts';
import type { Driver } from './driver.ts';
import { readMeta } from './meta.ts';
import { isWalDamaged } from './wal-check.ts';

/**
 * What is known to be wrong before the store is opened: an earlier run marked it, a salvage was cut off, or the write-ahead
 * log lost committed transactions. STORE_LOCKED when another gateway has the store: then nothing is touched.
 */
export async function knownDamage(
  files: DamagedFiles,
  path: string,
  open: () => Promise<Driver>,
): Promise<string | null> {
  const marked = await files.marked();
  if (marked !== undefined) {
    if (await files.isDone(marked)) {
      await files.unmark();
      return null;
    }
    if (await isThere(path)) await takeLock(open);
    return 'marked as damaged';
  }
  const isLost = !(await isThere(path)) && (await isThere(`${path}-wal`));
  if (!isLost && !(await isWalDamaged(`${path}-wal`))) return null;
  await files.keepWal();
  try {
    await takeLock(open);
  } catch (error) {
    await files.forgetWal();
    throw error;
  }
  return isLost
    ? 'the file is gone and its write-ahead log is there'
    : 'committed transactions are missing from the write-ahead log';
}

/** Opens the file again for a running gateway, which must find its own. */
export async function reconnect(path: string, token: string, open: () => Promise<Driver>): Promise<Driver> {
  if (!(await isThere(path)))
    throw new GatewayError('STORE_IO', 'the file of the store is gone', { context: { path } });
  const driver = await open();
  try {
    // What reached only the memory of the system goes to the disk before anything is built on it.
    await driver.read('PRAGMA wal_checkpoint(TRUNCATE)');
    if ((await readMeta(driver, 'opened')) === token) return driver;
    throw new GatewayError('STORE_CORRUPT', 'the store is not as this gateway left it', { context: { path } });
  } catch (error) {
    await driver.close();
    throw error;
  }
}

/** Proves that nobody has the store; that it is damaged is no news here. */
async function takeLock(open: () => Promise<Driver>): Promise<void> {
  try {
    const driver = await open();
    await driver.close();
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'STORE_CORRUPT') throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).size > 0;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw new GatewayError('STORE_IO', 'the file of the store cannot be reached', { context: { path }, cause: error });
  }
}
