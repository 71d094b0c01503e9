import { stat } from 'node:fs/promises';
import type { Clock } from '../runtime/clock.ts';
import { GatewayError, systemCode } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { DamagedFiles } from './damaged-files.ts';
import type { Driver } from './driver.ts';
import { headerDamage } from './header-check.ts';
import { readMeta } from './meta.ts';
import type { Suspicion } from './suspicion.ts';
import { isWalDamaged } from './wal-check.ts';

/**
 * What is known to be wrong before the store is opened: an earlier run marked it, a salvage was cut off, the write-ahead log lost
 * committed transactions, or the head of the file cannot be right. STORE_LOCKED when another gateway has the store: then nothing is touched.
 */
export async function knownDamage(
  files: DamagedFiles,
  suspicion: Suspicion,
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
  if (!isLost && !(await isWalDamaged(`${path}-wal`))) {
    const header = await headerDamage(path);
    if (header === null) return suspectedDamage(suspicion, open);
    await takeLock(open);
    return header;
  }
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

/**
 * What a full check says of a file that SQLite called damaged while a gateway ran. A disk or a memory that gave wrong pages for a
 * moment is no reason to set a sound store aside; a fault of the disk during the check leaves the question to the next start.
 */
async function suspectedDamage(suspicion: Suspicion, open: () => Promise<Driver>): Promise<string | null> {
  const verdict = await suspicion.verdict();
  if (verdict === 'none') return null;
  if (verdict === 'believe') return 'reported as damaged again and again';
  const found = await checkWhole(open);
  if (found === 'ok') {
    await suspicion.refute();
    return null;
  }
  return `reported as damaged, and a check finds: ${found}`;
}

/** `ok`, or the first damage that SQLite's own check finds. */
async function checkWhole(open: () => Promise<Driver>): Promise<string> {
  try {
    const driver = await open();
    try {
      const [row] = await driver.read('PRAGMA integrity_check(1)');
      return String(row?.['integrity_check']);
    } finally {
      await driver.close();
    }
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'STORE_CORRUPT') return error.message;
    throw error;
  }
}

/** Who has the store, as `opened` in it says: the value that this run wrote, and the one that it found. */
export interface Owner {
  readonly token: string;
  readonly before: string | undefined;
}

/**
 * Opens the file again for a running gateway, which must find its own. STORE_CORRUPT when it does not: with `isForeign` another
 * process opened the store meanwhile and the file is sound, without it the file is an earlier one.
 */
export async function reconnect(path: string, owner: Owner, open: () => Promise<Driver>): Promise<Driver> {
  if (!(await isThere(path)))
    throw new GatewayError('STORE_IO', 'the file of the store is gone', { context: { path } });
  const driver = await open();
  try {
    // What reached only the memory of the system goes to the disk before anything is built on it.
    await driver.read('PRAGMA wal_checkpoint(TRUNCATE)');
    const found = await readMeta(driver, 'opened');
    if (found === owner.token) return driver;
    const isForeign = found !== undefined && found !== owner.before;
    const message = isForeign ? 'another process has opened the store meanwhile' : 'the store is an earlier one';
    throw new GatewayError('STORE_CORRUPT', message, { context: { path, isForeign } });
  } catch (error) {
    await driver.close();
    throw error;
  }
}

/** Where a running gateway notes a damage, and what happens then. */
export interface DamageNotes {
  readonly files: DamagedFiles;
  readonly suspicion: Suspicion;
  readonly clock: Clock;
  readonly log: Log;
  /** The process should end. */
  readonly onDamaged?: () => void;
}

/**
 * A running gateway cannot go on with its file. What it has learnt is left for the next start: an earlier file is set aside, one that
 * SQLite calls damaged is checked first, and one that another process has used meanwhile is simply opened. The gateway ends
 * whether or not the disk takes the note: without one the next start finds what there is to find.
 */
export async function giveUp(notes: DamageNotes, error: GatewayError): Promise<void> {
  const { files, suspicion, clock, log, onDamaged } = notes;
  const { isForeign } = error.context;
  log.error({ error: error.message }, 'the store cannot go on with its file: the next start checks it');
  try {
    if (isForeign === undefined) await suspicion.report(clock.nowMs());
    else if (isForeign === false) await files.mark(clock.nowMs());
  } finally {
    onDamaged?.();
  }
}

/** Proves that nobody has the store; that it is damaged is no news here. */
async function takeLock(open: () => Promise<Driver>): Promise<void> {
  try {
    const driver = await open();
    await driver.close();
  } catch (error) {
    if (!(error instanceof GatewayError) || !isOfTheFile(error)) throw error;
  }
}

/** Primary result codes ERROR and READONLY: what a damaged head makes SQLite say. */
const HEAD_FAULTS: ReadonlySet<number> = new Set([1, 8]);

const isOfTheFile = ({ code, context }: GatewayError): boolean =>
  code === 'STORE_CORRUPT' || HEAD_FAULTS.has(Number(context['resultCode'] ?? 0) & 0xff);

async function isThere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).size > 0;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw new GatewayError('STORE_IO', 'the file of the store cannot be reached', { context: { path }, cause: error });
  }
}

/** SyntaxError: a text in the store that was JSON is none any more. */
export const isDamage = (error: unknown): boolean =>
  error instanceof SyntaxError || (error instanceof GatewayError && error.code === 'STORE_CORRUPT');
