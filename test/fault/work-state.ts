import { createHash } from 'node:crypto';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { MIGRATIONS } from '../../src/store/migrations.ts';
import { openStore } from '../../src/store/sqlite-store.ts';
import { memoryLog } from '../fakes/silent-log.ts';

/** A step that writes every row of the log anew, as a real one might. */
export const NEXT_MIGRATION: readonly string[] = [
  'CREATE TABLE log_next AS SELECT * FROM log',
  'DROP TABLE log',
  'ALTER TABLE log_next RENAME TO log',
  'CREATE TABLE next_step (id INTEGER PRIMARY KEY) STRICT',
];

/** What must be the same before and after work that was cut off. */
export interface WorkState {
  readonly epoch: string;
  /** Of all entries of the log, with their ids. */
  readonly entries: string;
  /** Last numbers and unacknowledged batches of all streams. */
  readonly streams: string;
}

const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** Opens the store of a directory as the gateway does. Throws when it is set aside. */
export async function stateOf(dataDir: string): Promise<WorkState> {
  const deps = { clock: systemClock, log: memoryLog(), metrics: new Metrics(), random: Math.random };
  const store = await openStore({ dataDir, ...deps });
  try {
    const entries: unknown[] = [];
    for await (const page of store.readRange({ fromMs: 0, toMs: 9e15 })) entries.push(...page);
    const streams: unknown[] = [];
    for (const { stream, lastSeq } of await store.listStreams()) {
      const waiting = await store.unacknowledged(stream, 0, 100_000);
      streams.push([stream, lastSeq, waiting.map(({ seq, sha256 }) => [seq, sha256])]);
    }
    if (readdirSync(dataDir).some((name) => name.startsWith('damaged'))) throw new Error('the store was set aside');
    return { epoch: store.epoch, entries: digest(entries), streams: digest(streams) };
  } finally {
    await store.stop();
  }
}

/** What is wrong with a directory whose migration was cut off: it is old or new, and its log is whole. */
export function migrationFaults(dataDir: string, log: string): readonly string[] {
  const database = new DatabaseSync(join(dataDir, 'cigale.db'));
  try {
    const value = (sql: string): unknown => Object.values(database.prepare(sql).get() ?? {})[0];
    const version = Number(value('PRAGMA user_version'));
    const isNew = value("SELECT count(*) FROM sqlite_schema WHERE name = 'next_step'") === 1;
    const faults: string[] = [];
    if (version !== MIGRATIONS.length + (isNew ? 1 : 0)) faults.push(`version ${version}, new tables: ${isNew}`);
    if (value("SELECT count(*) FROM sqlite_schema WHERE name = 'log_next'") !== 0) faults.push('half a migration');
    if (value('PRAGMA integrity_check(1)') !== 'ok') faults.push('integrity');
    if (logOf(database) !== log) faults.push('the log is another');
    return faults;
  } finally {
    database.close();
  }
}

const logOf = (database: DatabaseSync): string =>
  digest(
    database
      .prepare('SELECT * FROM log ORDER BY first_id')
      .all()
      .map(({ data, ...row }) => [row, Buffer.from(data as Uint8Array).toString('base64')]),
  );

/** Digest of the log's rows of a directory that nobody has open; looks into a copy. */
export function logDigest(dataDir: string, copy: string): string {
  cpSync(dataDir, copy, { recursive: true });
  const database = new DatabaseSync(join(copy, 'cigale.db'));
  try {
    return logOf(database);
  } finally {
    database.close();
    rmSync(copy, { recursive: true, force: true });
  }
}
