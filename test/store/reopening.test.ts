import { open as openFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GatewayError } from '../../src/runtime/errors.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { BlockCache } from '../../src/store/block-cache.ts';
import { BlockDirectory } from '../../src/store/block-directory.ts';
import { CommitQueue } from '../../src/store/commit-queue.ts';
import { reconnect } from '../../src/store/damage.ts';
import { DRIVER_NAMES, type DriverName } from '../../src/store/driver.ts';
import { LogWriter } from '../../src/store/log-writer.ts';
import { writeMeta } from '../../src/store/meta.ts';
import { migrate } from '../../src/store/migrations.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { openDriver } from '../../src/store/open-driver.ts';
import { ReopeningDriver } from '../../src/store/reopening-driver.ts';
import { openStore } from '../../src/store/sqlite-store.ts';
import { FaultyDriver } from '../fakes/faulty-driver.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { entry, sample } from './records.ts';
import { StoreFixture, all } from './store-fixture.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const CREATE = { sql: 'CREATE TABLE t (id INTEGER PRIMARY KEY)', params: [] };
const insert = (id: number) => ({ sql: 'INSERT OR REPLACE INTO t (id) VALUES (?)', params: [id] });

async function create() {
  const log = memoryLog();
  const metrics = new Metrics();
  const path = join(await temporaryDirectory(), 'cigale.db');
  const open = async () => new FaultyDriver(await openDriver({ path, driver: 'sqlite3', log }));
  const made = [await open()];
  const refusals: GatewayError[] = [];
  const damages: string[] = [];
  const connect = async () => {
    const refusal = refusals.shift();
    if (refusal !== undefined) throw refusal;
    const next = await open();
    made.push(next);
    return next;
  };
  const first = made[0];
  if (first === undefined) throw new Error('no driver');
  const driver = new ReopeningDriver(first, {
    connect,
    onDamaged: ({ message }) => damages.push(message),
    log,
    metrics,
  });
  onTestFinished(() => driver.close());
  await driver.transaction([CREATE]);
  return { driver, made, refusals, damages, metrics };
}

describe('a connection that is made anew', () => {
  it('goes on with the file as it is, with the settings it had, and answers calls made meanwhile', async () => {
    const { driver, made, metrics } = await create();
    await driver.set('max_page_count', 5000);
    await driver.transaction([insert(1)]);
    const before = driver.read('SELECT id FROM t');
    const reopened = driver.reopen();
    const read = driver.read('SELECT id FROM t');
    await reopened;
    expect(await before).toEqual([{ id: 1 }]);
    expect(await read).toEqual([{ id: 1 }]);
    expect(made).toHaveLength(2);
    expect(await driver.read('PRAGMA max_page_count')).toEqual([{ max_page_count: 5000 }]);
    expect(metrics.total('cigale_store_reopens_total')).toBe(1);
  });

  it('says why there is none until there is one', async () => {
    const { driver, refusals } = await create();
    refusals.push(new GatewayError('STORE_OPEN_FAILED', 'read-only'));
    await driver.reopen();
    await expect(driver.transaction([insert(1)])).rejects.toMatchObject({ code: 'STORE_OPEN_FAILED' });
    await expect(driver.read('SELECT 1')).rejects.toMatchObject({ code: 'STORE_OPEN_FAILED' });
    await driver.reopen();
    await driver.transaction([insert(1)]);
  });

  it('calls the file damaged when a second connection finds it so, and not at the first report', async () => {
    const { driver, made, damages } = await create();
    made[0]?.faults.push({ code: 'STORE_CORRUPT', isApplied: false });
    await expect(driver.transaction([insert(1)])).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await driver.reopen();
    await driver.transaction([insert(1)]);
    expect(damages).toEqual([]);
    for (const _ of [1, 2]) {
      made.at(-1)?.faults.push({ code: 'STORE_CORRUPT', isApplied: false });
      await expect(driver.transaction([insert(1)])).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
      await driver.reopen();
    }
    expect(damages).toHaveLength(1);
  });

  it('is closed for good by close, also while it is being made', async () => {
    const { driver } = await create();
    const reopened = driver.reopen();
    await driver.close();
    await reopened;
    await expect(driver.read('SELECT 1')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });
});

/** The commit queue on a real file, with the connections that were made to it. */
async function createQueue(driverName: DriverName) {
  const log = memoryLog();
  const metrics = new Metrics();
  const clock = new ManualClock();
  const path = join(await temporaryDirectory(), 'cigale.db');
  const made: FaultyDriver[] = [];
  const open = async () => {
    const next = new FaultyDriver(await openDriver({ path, driver: driverName, log }));
    made.push(next);
    return next;
  };
  const damages: string[] = [];
  const onDamaged = ({ message }: GatewayError) => damages.push(message);
  const driver = new ReopeningDriver(await open(), {
    connect: () => reconnect(path, { token: 'me', before: undefined }, open),
    onDamaged,
    log,
    metrics,
  });
  await migrate(driver);
  await driver.transaction([writeMeta('opened', 'me')]);
  const planner = new LogWriter(new BlockCache(), new BlockDirectory(), log);
  const reopen = () => driver.reopen();
  const queue = new CommitQueue({ driver, planner, clock, log, metrics, random: () => 0.5, reopen });
  onTestFinished(async () => {
    await queue.stop();
    await driver.close();
  });
  const recover = () =>
    expect
      .poll(async () => {
        await clock.advance(60_000);
        return queue.fault;
      })
      .toBeNull();
  const stored = async () =>
    (await queue.read('SELECT first_id, count FROM log ORDER BY first_id')).map((row) => ({ ...row }));
  return { path, made, queue, clock, damages, metrics, recover, stored };
}

describe.each(DRIVER_NAMES)('a store whose disk fails for a moment, on %s', (driverName) => {
  it.each([false, true])(
    'opens the file again and counts nothing twice (the failed COMMIT was on disk: %s)',
    async (isApplied) => {
      const { made, queue, recover, stored, damages } = await createQueue(driverName);
      made[0]?.faults.push({ code: 'STORE_IO', isApplied });
      const written = Promise.all([queue.append([entry(0)], [], 'now'), queue.append([entry(1)], [], 'now')]);
      await expect.poll(() => queue.fault).toBe('STORE_IO');
      await recover();
      expect((await written).flat().map(({ id }) => id)).toEqual([1, 2]);
      await queue.append([entry(2)], [], 'now');
      expect(await stored()).toEqual([
        { first_id: 1, count: 2 },
        { first_id: 3, count: 1 },
      ]);
      expect(made).toHaveLength(2);
      expect(damages).toEqual([]);
    },
  );

  it('keeps what waits while the file is gone, never makes another in its place, and goes on when it is back', async () => {
    const { path, made, queue, clock, recover, stored, damages } = await createQueue(driverName);
    await queue.append([entry(0)], [], 'now');
    for (const suffix of ['', '-wal']) await rename(`${path}${suffix}`, `${path}.away${suffix}`);
    made[0]?.faults.push({ code: 'STORE_IO', isApplied: false });
    const waiting = queue.append([entry(1)], [], 'now');
    await expect.poll(() => queue.fault).toBe('STORE_IO');
    for (let attempt = 0; attempt < 5; attempt += 1) await clock.advance(60_000);
    expect(queue.fault).toBe('STORE_IO');
    expect(queue.pendingEntries).toBe(1);
    await expect(stat(path)).rejects.toThrow('ENOENT');
    for (const suffix of ['-wal', '']) await rename(`${path}.away${suffix}`, `${path}${suffix}`).catch(() => undefined);
    await recover();
    await waiting;
    expect(await stored()).toEqual([
      { first_id: 1, count: 1 },
      { first_id: 2, count: 1 },
    ]);
    expect(damages).toEqual([]);
  });

  it('does not go on with a file that somebody else has changed', async () => {
    const { made, queue, clock, damages } = await createQueue(driverName);
    await made[0]?.transaction([writeMeta('opened', 'another')]);
    made[0]?.faults.push({ code: 'STORE_IO', isApplied: false });
    const refused = queue.append([entry(0)], [], 'now').catch((error: unknown) => error);
    await expect.poll(() => queue.fault).not.toBeNull();
    await expect
      .poll(async () => {
        await clock.advance(60_000);
        return damages.length;
      })
      .toBe(1);
    queue.drain();
    expect(await refused).toMatchObject({ code: 'STORE_CORRUPT' });
  });
});

/** Hard to compress, so that blocks spread over pages. */
const noisy = (index: number) => ({ ...entry(index), record: sample(index, { value: 50 + Math.sin(index * index) }) });

describe('a running store whose file is destroyed in part', () => {
  it('asks for its end, and the next start salvages the rest', async () => {
    const fixture = await StoreFixture.create('sqlite3');
    const { clock, log, metrics, dataDir } = fixture;
    let isDamaged = false;
    const onDamaged = (): void => {
      isDamaged = true;
    };
    const open = () => openStore({ dataDir, clock, log, metrics, random: () => 0.5, driver: 'sqlite3', onDamaged });
    const store = await open();
    for (let from = 0; from < 10_000; from += 500) {
      await store.append(
        Array.from({ length: 500 }, (_, index) => noisy(from + index)),
        'now',
      );
    }
    await store.stop();
    const running = await open();
    const path = join(dataDir, 'cigale.db');
    const { size } = await stat(path);
    const file = await openFile(path, 'r+');
    await file.write(Buffer.alloc(16 * 1024, 0xff), 0, 16 * 1024, Math.floor(size / 2048) * 1024);
    await file.close();
    await clock.advance(1000);
    await expect(all(running)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await expect.poll(() => isDamaged).toBe(true);
    await running.stop();
    const next = await fixture.open();
    expect(next.epoch).not.toBe(running.epoch);
    expect((await all(next, { kind: 'gap' })).length).toBeGreaterThan(0);
    const entries = await all(next, { kind: 'sample' });
    for (const { id, record } of entries) expect(record).toEqual(noisy(id - 1).record);
    expect(entries.length).toBeGreaterThan(2000);
    expect((await next.status()).salvage?.lostRecords).toBe(10_000 - entries.length);
  });
});
