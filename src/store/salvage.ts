import type { Clock } from '../runtime/clock.ts';
import { GatewayError, messageOf, systemCode } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { DamagedFiles } from './damaged-files.ts';
import type { ConnectDriver, Driver } from './driver.ts';
import { readMeta, writeMeta } from './meta.ts';
import { MIGRATIONS, migrate } from './migrations.ts';
import { patientReads } from './patient-reads.ts';
import { configure } from './pragmas.ts';
import { declareLosses } from './salvage-gaps.ts';
import { copyLog } from './salvage-log.ts';
import { copyStreams } from './salvage-streams.ts';
import { copyTables } from './salvage-tables.ts';
import { SalvageTarget } from './salvage-target.ts';
import { copyUplinks } from './salvage-uplinks.ts';
import { isDiskFault } from './sqlite-fault.ts';
import { transplantSchema } from './schema-transplant.ts';
import type { SalvageReport } from './salvage-report.ts';
import type { LogInterval } from './store.ts';
import { ulid } from './ulid.ts';

export interface SalvageParts {
  readonly files: DamagedFiles;
  readonly connect: ConnectDriver;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** How far the log of an epoch had got, as noted beside the database; 0 when nothing was noted. */
  readonly notedHead: (epoch: string) => Promise<number>;
  /** When the store was made of which such a note is left; null without one. */
  readonly madeAt: () => Promise<number | null>;
}

/** Sets the damaged store aside and makes a new one from what can be read of it; the new one is not open yet. */
export async function salvage(parts: SalvageParts, cause: string): Promise<SalvageReport> {
  const { files, clock, log } = parts;
  const startedMs = clock.monotonicMs();
  const directory = await files.mark(clock.nowMs());
  await files.setAside(directory);
  log.error({ cause, directory }, 'the store is damaged: it is set aside and what can be read is carried over');
  const { path, isCopy } = await files.copyToRead(directory);
  if (!isCopy) log.warn({ directory }, 'the disk has no room for a copy: the damaged store is read where it lies');
  const newPath = await files.newFile();
  const made = await parts.connect(newPath);
  let report: SalvageReport;
  try {
    await configure(made);
    await migrate(made);
    // Read from another file below: the new one must stand in its own file, not in its write-ahead log.
    await made.read('PRAGMA wal_checkpoint(TRUNCATE)');
    // One sync at the end: until then a power cut makes the next start do it all again.
    await made.read('PRAGMA synchronous = OFF');
    const target = new SalvageTarget(made);
    const damaged = await openDamaged(parts, path, newPath);
    try {
      report = await copyAll(parts, damaged, target, { directory, cause, startedMs });
    } finally {
      await damaged
        ?.close()
        .catch((error: unknown) => log.warn({ error: messageOf(error) }, 'the damaged copy did not close'));
    }
    await made.read('PRAGMA synchronous = FULL');
    const lostSince = report.records === 0 ? await parts.madeAt() : null;
    await made.transaction([
      ...(lostSince === null ? [] : [writeMeta('lost_since', String(lostSince))]),
      writeMeta('epoch', ulid(clock.nowMs(), parts.random)),
      writeMeta('salvage', JSON.stringify(report)),
    ]);
    await made.read('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    await made.close();
  }
  await files.finish();
  log.error({ ...report }, 'what could be read of the damaged store was carried over, under a new epoch');
  return report;
}

async function openDamaged(parts: SalvageParts, path: string, emptyPath: string): Promise<Driver | undefined> {
  const first = await tryOpen(parts, path);
  if (first !== undefined && (await hasTables(first))) return first;
  await first
    ?.close()
    .catch((error: unknown) => parts.log.debug({ error: messageOf(error) }, 'the damaged copy did not close'));
  try {
    await transplantSchema(emptyPath, path);
  } catch (error) {
    if (DISK_REFUSES.has(systemCode(error) ?? '')) throw error;
    parts.log.warn({ error: messageOf(error) }, 'the head of the damaged store could not be repaired');
  }
  return tryOpen(parts, path);
}

/** What says nothing of the file itself. */
const DISK_REFUSES: ReadonlySet<string> = new Set(['EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'EDQUOT', 'EROFS']);

/** Throws when the disk refuses: then nothing is known of the store, and the next start tries again. */
async function tryOpen({ clock, connect, log }: SalvageParts, path: string): Promise<Driver | undefined> {
  try {
    const driver = patientReads(await connect(path), clock);
    await driver.read('PRAGMA locking_mode = EXCLUSIVE');
    // Lets tables be read beside one whose description is damaged.
    await driver.read('PRAGMA writable_schema = ON');
    return driver;
  } catch (error) {
    if (isDiskFault(error) && error.code !== 'STORE_CORRUPT') throw error;
    log.warn({ error: messageOf(error) }, 'the damaged store does not open');
    return undefined;
  }
}

/** Whether the description of the tables can be read. */
async function hasTables(driver: Driver): Promise<boolean> {
  const tables = MIGRATIONS.flat().filter((sql) => sql.startsWith('CREATE TABLE')).length;
  try {
    const rows = await driver.read(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'`);
    return rows.length >= tables;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'STORE_CLOSED') throw error;
    return false;
  }
}

interface Circumstances {
  readonly directory: string;
  readonly cause: string;
  readonly startedMs: number;
}

async function copyAll(
  { clock, notedHead }: SalvageParts,
  damaged: Driver | undefined,
  to: SalvageTarget,
  { directory, cause, startedMs }: Circumstances,
): Promise<SalvageReport> {
  const common = { at: clock.nowMs(), directory, cause };
  if (damaged === undefined) return { ...common, ...NOTHING, durationMs: clock.monotonicMs() - startedMs };
  const incomplete = [...(await copyTables(damaged, to))];
  const uplinks = await copyUplinks(damaged, to);
  const log = await copyLog(damaged, to);
  const streams = await copyStreams(damaged, to, log, clock.nowMs());
  for (const key of ['alive_at', 'gateway_id'] as const) {
    const value = await metaOf(damaged, key);
    if (value !== undefined) await to.put('meta', writeMeta(key, value));
  }
  await to.put('meta', writeMeta('aggregate_cursor', String(await cursorOf(damaged, log))));
  await to.flush();
  const previousEpoch = (await metaOf(damaged, 'epoch')) ?? null;
  const noted = previousEpoch === null ? 0 : await notedHead(previousEpoch);
  const known = { notedHead: noted, declared: await declaredBefore(damaged), nowMs: clock.nowMs() };
  const lost = await declareLosses(to, { log, wants: streams.wants, ...known });
  return {
    ...common,
    durationMs: clock.monotonicMs() - startedMs,
    previousEpoch,
    records: log.records,
    lostRecords: log.missing + Math.max(0, noted - log.head),
    lost,
    refusedRows: Object.fromEntries(to.refused),
    incompleteTables: [...incomplete, ...uplinks.incomplete, ...(log.isComplete ? [] : ['log']), ...streams.incomplete],
    uncertainStreams: streams.uncertain,
    closedSessions: uplinks.closedSessions,
  };
}

const NOTHING = {
  previousEpoch: null,
  records: 0,
  lostRecords: 0,
  lost: [],
  refusedRows: {},
  incompleteTables: ['all'],
  uncertainStreams: [],
  closedSessions: [],
};

/** Where open windows are rebuilt from; where that is lost, far enough back for every window that can be open. */
async function cursorOf(damaged: Driver, log: { readonly head: number; readonly recentFrom: number }): Promise<number> {
  const stored = Number((await metaOf(damaged, 'aggregate_cursor')) ?? Number.NaN);
  return Number.isSafeInteger(stored) && stored >= 1 && stored <= log.head ? stored : log.recentFrom;
}

/** What an earlier salvage declared lost; a damaged note declares nothing. */
async function declaredBefore(damaged: Driver): Promise<readonly LogInterval[]> {
  const text = await metaOf(damaged, 'salvage');
  try {
    const { lost } = JSON.parse(text ?? '{}') as Partial<SalvageReport>;
    return Array.isArray(lost) ? lost : [];
  } catch {
    return [];
  }
}

async function metaOf(
  damaged: Driver,
  key: 'epoch' | 'alive_at' | 'gateway_id' | 'aggregate_cursor' | 'salvage',
): Promise<string | undefined> {
  try {
    return await readMeta(damaged, key);
  } catch (error) {
    if (error instanceof GatewayError && error.code !== 'STORE_CLOSED') return undefined;
    throw error;
  }
}
