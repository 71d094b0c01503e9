/**
 * What the store costs: bytes written for each sample by page size, and CPU for each sample by driver and commit size.
 * Run: `node test/store/store-cost.ts [bytes|cpu|memory]`. Figures are printed, never judged: machines differ.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { randomBytes } from 'node:crypto';
import type { NewEntry } from '../../src/model/record.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { BlockCache } from '../../src/store/block-cache.ts';
import { BlockDirectory } from '../../src/store/block-directory.ts';
import { CommitQueue } from '../../src/store/commit-queue.ts';
import { DRIVER_NAMES, type DriverName } from '../../src/store/driver.ts';
import { LogWriter } from '../../src/store/log-writer.ts';
import { migrate } from '../../src/store/migrations.ts';
import { openDriver } from '../../src/store/open-driver.ts';
import { SqliteOutbox } from '../../src/store/outbox-store.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { sample } from './records.ts';

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** On the disk to be measured, not in memory. */
const TARGET = process.env['BENCH_DIR'] ?? '.';

/** Samples of some noise meters and stations with values that vary as measured ones do. */
function entries(count: number, from: number): NewEntry[] {
  return Array.from({ length: count }, (_, offset): NewEntry => {
    const index = from + offset;
    const at = 1_780_000_000_000 + index * 5;
    const value = Math.round(600 + 80 * Math.sin(index / 50) + Math.random() * 60) / 10;
    const place = `place-${index % 20}`;
    return {
      record: sample(0, {
        place,
        device: `meter-${index % 20}`,
        observedAt: at,
        receivedAt: at + Math.floor(Math.random() * 20),
        value,
      }),
      to: ['stream:ville', 'rule:n1'],
    };
  });
}

/** Takes what waits along. */
const NOTHING = { sql: 'DELETE FROM meta WHERE key = ?', params: ['none'] };

async function create(name: DriverName, pageSizeBytes?: number) {
  const dir = mkdtempSync(join(TARGET, 'bench-'));
  const log = memoryLog();
  const driver = await openDriver({ path: join(dir, 'cigale.db'), driver: name, pageSizeBytes, log });
  await migrate(driver);
  const writer = new LogWriter(new BlockCache(), new BlockDirectory(), log);
  const parts = { driver, planner: writer, clock: systemClock, log, metrics: new Metrics(), random: Math.random };
  const queue = new CommitQueue(parts);
  const outbox = new SqliteOutbox(queue, () => writer.head());
  const close = async (): Promise<void> => {
    await queue.stop();
    await driver.close();
    rmSync(dir, { recursive: true });
  };
  return { queue, outbox, close };
}

/** Bytes that this process handed to write calls, and bytes it made dirty for the device. */
function written(): { readonly calls: number; readonly device: number } {
  const io = readFileSync('/proc/self/io', 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(io)?.[1]);
  return { calls: field('wchar'), device: field('write_bytes') };
}

/** Ten minutes at 200 samples a second: a commit a second, a batch of 1000 samples sealed and acknowledged every five. */
async function bytes(name: DriverName, pageSizeBytes: number): Promise<void> {
  const { queue, outbox, close } = await create(name, pageSizeBytes);
  await outbox.openStream('ville', 0);
  const before = written();
  const seconds = 600;
  for (let second = 0; second < seconds; second += 1) {
    await queue.append(entries(200, second * 200), [], 'now');
    if (second % 5 !== 4) continue;
    const seq = (second + 1) / 5;
    const body = randomBytes(8000);
    const batch = {
      stream: 'ville',
      epoch: 'E'.repeat(26),
      seq,
      lane: 'live' as const,
      createdAt: Date.now(),
      recordCount: 1000,
    };
    await outbox.sealBatch(
      { ...batch, sha256: 'f'.repeat(64), encoding: 'deflate', body },
      { liveFrom: seq * 1000 + 1, backlog: [] },
    );
    const acknowledged = outbox.acknowledge('ville', seq, Date.now());
    await queue.append(entries(0, 0), [NOTHING], 'now');
    await acknowledged;
  }
  const after = written();
  await close();
  const perSample = (amount: number): string => (amount / (seconds * 200)).toFixed(1);
  const calls = perSample(after.calls - before.calls);
  print(
    `${name} page ${pageSizeBytes}: ${calls} B a sample in write calls, ${perSample(after.device - before.device)} to the device`,
  );
}

async function cpu(name: DriverName, perCommit: number): Promise<void> {
  const { queue, close } = await create(name);
  const total = Math.max(20_000, perCommit * 20);
  const prepared = Array.from({ length: total / perCommit }, (_, commit) => entries(perCommit, commit * perCommit));
  await queue.append(entries(perCommit, 0), [], 'now');
  const before = process.cpuUsage();
  const startedAt = performance.now();
  for (const group of prepared) await queue.append(group, [], 'now');
  const used = process.cpuUsage(before);
  const elapsedMs = performance.now() - startedAt;
  await close();
  const micros = (used.user + used.system) / total;
  const rate = Math.round((total / elapsedMs) * 1000);
  print(`${name} ${perCommit} a commit: ${micros.toFixed(2)} µs CPU a sample, ${rate} samples/s`);
}

/** Resident memory that an open store adds. */
async function memory(name: DriverName): Promise<void> {
  const before = process.memoryUsage().rss;
  const { queue, close } = await create(name);
  await queue.append(entries(200, 0), [], 'now');
  const added = process.memoryUsage().rss - before;
  await close();
  print(`${name}: ${(added / 1e6).toFixed(1)} MB`);
}

const [, , what = 'bytes', only] = process.argv;
for (const name of DRIVER_NAMES.filter((known) => only === undefined || known === only)) {
  if (what === 'bytes') for (const size of [1024, 2048, 4096]) await bytes(name, size);
  else if (what === 'memory') await memory(name);
  else for (const perCommit of [200, 4000, 200, 4000]) await cpu(name, perCommit);
}
