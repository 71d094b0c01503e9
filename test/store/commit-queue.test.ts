import * as fc from 'fast-check';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Metrics } from '../../src/runtime/metrics.ts';
import { BlockCache } from '../../src/store/block-cache.ts';
import { BlockDirectory } from '../../src/store/block-directory.ts';
import { CommitQueue } from '../../src/store/commit-queue.ts';
import { LogReader } from '../../src/store/log-reader.ts';
import { LogWriter } from '../../src/store/log-writer.ts';
import { migrate } from '../../src/store/migrations.ts';
import { openDriver } from '../../src/store/open-driver.ts';
import { DEFAULT_LIMITS, type QueueLimits } from '../../src/store/pending-writes.ts';
import { FaultyDriver } from '../fakes/faulty-driver.ts';
import { ManualClock, settle } from '../fakes/manual-clock.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { entry } from './records.ts';
import { temporaryDirectory } from './temporary-directory.ts';

async function create(limits: QueueLimits = DEFAULT_LIMITS) {
  const log = memoryLog();
  const path = join(await temporaryDirectory(), 'cigale.db');
  const driver = new FaultyDriver(await openDriver({ path, driver: 'sqlite3', log }));
  await migrate(driver);
  driver.tried.length = 0;
  const clock = new ManualClock();
  const metrics = new Metrics();
  const directory = new BlockDirectory();
  const writer = new LogWriter(new BlockCache(), directory, log);
  const queue = new CommitQueue({ driver, planner: writer, clock, log, metrics, random: () => 0.5, limits });
  onTestFinished(async () => {
    driver.hold = undefined;
    await queue.stop();
    await driver.close();
  });
  /** What a new process would find on the disk. */
  const onDisk = async () => {
    const fresh = new LogWriter(new BlockCache(), directory, log);
    await fresh.load(queue);
    const [head, revision] = [() => fresh.head(), () => 0];
    const onDamaged = () => expect.fail('a block is damaged');
    return new LogReader({ database: queue, cache: new BlockCache(), directory, onDamaged, head, revision }).read(
      1,
      1_000_000,
    );
  };
  return { log, driver, clock, metrics, queue, writer, onDisk };
}

const put = (key: string, value: string) => ({
  sql: 'INSERT INTO meta (key, value) VALUES (?, ?)',
  params: [key, value],
});

describe('group commit', () => {
  it('commits interval writes together, no later than the interval after the first', async () => {
    const { queue, clock, driver } = await create();
    await queue.append([entry(0)], [], 'now');
    const first = queue.write([put('a', '1')]);
    await clock.advance(600);
    const second = queue.write([put('b', '2')]);
    await clock.advance(399);
    expect(driver.tried).toHaveLength(1);
    await clock.advance(1);
    await Promise.all([first, second]);
    expect(driver.tried).toHaveLength(2);
    queue.setCommitInterval(50);
    const third = queue.write([put('c', '3')]);
    await clock.advance(50);
    await third;
    expect(driver.tried).toHaveLength(3);
  });

  it('makes what comes after a pause wait a tenth of the interval, and what follows it the rest', async () => {
    const { queue, clock, driver } = await create();
    await queue.write([put('start', '1')], 'now');
    const first = queue.append([entry(0)], [], 'interval');
    await clock.advance(60);
    const besideIt = queue.append([entry(1)], [], 'interval');
    await clock.advance(40);
    await Promise.all([first, besideIt]);
    expect(driver.tried).toHaveLength(2);
    const next = queue.append([entry(2)], [], 'interval');
    await clock.advance(999);
    expect(driver.tried).toHaveLength(2);
    await clock.advance(1);
    await next;
    await clock.advance(5000);
    const afterPause = queue.append([entry(3)], [], 'interval');
    await clock.advance(100);
    await afterPause;
    expect(driver.tried).toHaveLength(4);
  });

  it('commits an urgent write at once, with everything that waits, and what comes meanwhile in the next commit', async () => {
    const { queue, driver } = await create();
    let release = (): void => undefined;
    driver.hold = new Promise((resolve) => (release = resolve));
    const waiting = queue.append([entry(0)], [], 'interval');
    const urgent = queue.append([entry(1)], [], 'now');
    await settle();
    expect(driver.tried).toHaveLength(1);
    const later = [2, 3, 4].map((index) => queue.append([entry(index)], [], 'now'));
    release();
    expect((await Promise.all([waiting, urgent, ...later])).map((group) => group[0]?.id)).toEqual([1, 2, 3, 4, 5]);
    expect(driver.tried).toHaveLength(2);
  });

  it('observes the time of each commit', async () => {
    const { queue, metrics } = await create();
    await queue.write([put('a', '1')], 'now');
    expect(metrics.render()).toContain('cigale_commit_seconds_count 1');
  });

  it('keeps the transaction when the disk is full, shows the fault, and tries again until it is taken', async () => {
    const { queue, driver, clock, onDisk, log } = await create();
    driver.faults.push({ code: 'STORE_FULL', isApplied: false }, { code: 'STORE_FULL', isApplied: false });
    const first = queue.append([entry(0)], [put('a', '1')], 'now');
    await settle();
    await expect.poll(() => queue.fault).toBe('STORE_FULL');
    const second = queue.append([entry(1)], [], 'now');
    expect(queue.pendingEntries).toBe(2);
    await expect
      .poll(async () => {
        await clock.advance(1000);
        return queue.fault;
      })
      .toBeNull();
    expect([...(await first), ...(await second)].map(({ id }) => id)).toEqual([1, 2]);
    expect((await onDisk()).map(({ id }) => id)).toEqual([1, 2]);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('counts nothing twice when a COMMIT was applied and reported as failed', async () => {
    const { queue, driver, clock, onDisk, writer } = await create();
    const heard: number[] = [];
    writer.onCommitted((entries) => heard.push(...entries.map(({ id }) => id)));
    driver.faults.push({ code: 'STORE_IO', isApplied: true }, { code: 'STORE_IO', isApplied: true });
    const first = queue.append([entry(0), entry(1)], [], 'now');
    await expect.poll(() => queue.fault).toBe('STORE_IO');
    const second = queue.append([entry(2)], [], 'now');
    await expect
      .poll(async () => {
        await clock.advance(1000);
        return queue.fault;
      })
      .toBeNull();
    expect([...(await first), ...(await second)].map(({ id }) => id)).toEqual([1, 2, 3]);
    expect((await onDisk()).map(({ record }) => record)).toEqual(
      [entry(0), entry(1), entry(2)].map(({ record }) => record),
    );
    expect(heard).toEqual([1, 2, 3]);
  });

  it('lets deletions past a transaction that does not fit', async () => {
    const { queue, driver, clock } = await create();
    driver.faults.push({ code: 'STORE_FULL', isApplied: false });
    const waiting = queue.append([entry(0)], [], 'now');
    await expect.poll(() => queue.fault).toBe('STORE_FULL');
    await queue.writeApart([{ sql: 'DELETE FROM meta', params: [] }]);
    await waiting;
    expect(clock.monotonicMs()).toBe(0);
  });

  it('rejects only the write that breaks a constraint; the others of its commit go on', async () => {
    const { queue, onDisk } = await create();
    await queue.write([put('taken', '1')], 'now');
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(12), { minLength: 1, maxLength: 4 }), async (culprits) => {
        const before = (await onDisk()).length;
        const writes = Array.from({ length: 13 }, (_, index) =>
          queue.append([entry(index)], culprits.includes(index) ? [put('taken', '2')] : [], 'now'),
        );
        const results = await Promise.allSettled(writes);
        expect(results.map(({ status }) => status === 'rejected')).toEqual(
          writes.map((_, index) => culprits.includes(index)),
        );
        const kept = await onDisk();
        expect(kept).toHaveLength(before + 13 - culprits.length);
        expect(kept.map(({ id }) => id)).toEqual(kept.map((_, index) => index + 1));
      }),
      { numRuns: 15 },
    );
  });

  it('refuses writes beyond its bound with STORE_BACKPRESSURE, counts them, and takes writes again later', async () => {
    const { queue, clock, metrics } = await create({ ...DEFAULT_LIMITS, maxRecords: 3 });
    const taken = [0, 1].map((index) => queue.append([entry(index)], [], 'interval'));
    await expect(queue.append([entry(2), entry(3)], [], 'interval')).rejects.toMatchObject({
      code: 'STORE_BACKPRESSURE',
    });
    expect(metrics.total('cigale_store_refused_total')).toBe(2);
    await clock.advance(1000);
    expect((await Promise.all(taken)).flat()).toHaveLength(2);
    expect(await queue.append([entry(2), entry(3)], [], 'now')).toHaveLength(2);
  });

  it('refuses by bytes as well, and counts what is being committed', async () => {
    const { queue, driver } = await create({ ...DEFAULT_LIMITS, maxBytes: 1000 });
    let release = (): void => undefined;
    driver.hold = new Promise((resolve) => (release = resolve));
    const big = queue.write([put('big', 'x'.repeat(400))], 'now');
    await settle();
    await expect(queue.write([put('next', 'x'.repeat(400))], 'now')).rejects.toMatchObject({
      code: 'STORE_BACKPRESSURE',
    });
    release();
    await big;
    await queue.write([put('next', 'x'.repeat(400))], 'now');
  });

  it('cuts a long queue into several transactions', async () => {
    const { queue, driver } = await create({ ...DEFAULT_LIMITS, maxCommitRecords: 10 });
    const written = Array.from({ length: 25 }, (_, index) => queue.append([entry(index)], [], 'interval'));
    await queue.append([entry(25)], [], 'now');
    expect((await Promise.all(written)).map((group) => group[0]?.id)).toEqual(
      Array.from({ length: 25 }, (_, i) => i + 1),
    );
    expect(driver.tried).toHaveLength(3);
  });

  it('drained, it commits every write at once and rejects what a failing disk refuses, and takes writes still', async () => {
    const { queue, driver } = await create();
    driver.faults.push({ code: 'STORE_FULL', isApplied: false }, { code: 'STORE_FULL', isApplied: false });
    const stuck = queue.append([entry(0)], [], 'now').catch((error: unknown) => error);
    await expect.poll(() => queue.fault).toBe('STORE_FULL');
    const waiting = queue.append([entry(1)], [], 'interval');
    queue.drain();
    expect(await stuck).toMatchObject({ code: 'STORE_FULL' });
    expect((await waiting).map(({ id }) => id)).toEqual([1]);
    expect((await queue.append([entry(2)], [], 'interval')).map(({ id }) => id)).toEqual([2]);
  });

  it('stops with a last attempt: what a failing disk still refuses is rejected, and nothing is taken any more', async () => {
    const { queue, driver } = await create();
    driver.faults.push({ code: 'STORE_IO', isApplied: false }, { code: 'STORE_IO', isApplied: false });
    const lost = queue.append([entry(0)], [], 'now').catch((error: unknown) => error);
    await expect.poll(() => queue.fault).toBe('STORE_IO');
    await queue.stop();
    expect(await lost).toMatchObject({ code: 'STORE_IO' });
    await expect(queue.write([put('a', '1')])).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(queue.writeApart([])).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });
});
