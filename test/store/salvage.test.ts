import { open as openFile, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { DRIVER_NAMES, type DriverName } from '../../src/store/driver.ts';
import { openDriver } from '../../src/store/open-driver.ts';
import { entry } from './records.ts';
import { DEVICES, FLOWS, PLACES, fill, flip, sizeOf, snapshot } from './salvage-fixture.ts';
import { StoreFixture, all, ids } from './store-fixture.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const COMMITS = 64;

/** A closed store (`db` alone), or one as a power cut leaves it (`db` and `wal`). */
async function damagedStore(
  driver: DriverName,
  state: 'closed' | 'cut',
): Promise<{ fixture: StoreFixture; epoch: string; db: string }> {
  const before = await StoreFixture.create(driver);
  const store = await before.open();
  await fill(store, COMMITS);
  if (state === 'closed') await store.stop();
  const dataDir = state === 'closed' ? before.dataDir : await temporaryDirectory();
  if (state === 'cut') await snapshot(before.dataDir, dataDir);
  const fixture = new StoreFixture(dataDir, driver);
  await fixture.clock.advance(1000);
  return { fixture, epoch: store.epoch, db: join(dataDir, 'cigale.db') };
}

async function expectWhole(store: Store): Promise<void> {
  expect((await all(store)).map(({ record }) => record)).toEqual(
    Array.from({ length: COMMITS * 10 }, (_, index) => entry(index).record),
  );
  expect(await store.places()).toHaveLength(PLACES.length);
  expect(await store.devices()).toHaveLength(DEVICES.length);
  expect((await store.flow(FLOWS.length))?.json).toBe(FLOWS.at(-1));
  expect(await store.credentials()).toEqual({ courtier: { password: 'secret' } });
}

const aside = async (fixture: StoreFixture): Promise<readonly string[]> =>
  (await readdir(fixture.dataDir)).filter((name) => name.startsWith('damaged-'));

describe.each(DRIVER_NAMES)('a store whose file is damaged, on %s', (driver) => {
  it('is not touched when it is sound, cut off or not', async () => {
    for (const state of ['closed', 'cut'] as const) {
      const { fixture, epoch } = await damagedStore(driver, state);
      const store = await fixture.open();
      expect(store.epoch).toBe(epoch);
      expect((await store.status()).salvage).toBeNull();
      expect(await aside(fixture)).toEqual([]);
      await expectWhole(store);
    }
  });

  it('is read behind a destroyed head: all of it comes back under a new epoch', async () => {
    const { fixture, epoch, db } = await damagedStore(driver, 'closed');
    const file = await openFile(db, 'r+');
    await file.write(Buffer.alloc(1024), 0, 1024, 0);
    await file.close();
    const damaged = await readFile(db);
    const store = await fixture.open();
    expect(store.epoch).not.toBe(epoch);
    await expectWhole(store);
    const [directory] = await aside(fixture);
    expect(await readFile(join(fixture.dataDir, directory ?? '', 'cigale.db'))).toEqual(damaged);
    const { salvage } = await store.status();
    expect(salvage).toMatchObject({
      directory,
      previousEpoch: epoch,
      records: COMMITS * 10,
      lostRecords: 0,
      closedSessions: [],
    });
    expect(fixture.metrics.total('cigale_store_salvages_total')).toBe(1);
    const left = (await readdir(fixture.dataDir)).filter((name) => !/^cigale\.db(-wal|-shm|-head)?$/.test(name));
    expect(new Set(left)).toEqual(new Set(['secret.key', directory]));
    const again = await fixture.reopen(store);
    expect(again.epoch).toBe(store.epoch);
    expect((await again.status()).salvage).toEqual(salvage);
  });

  it.each([
    ['is called read-only', 18, 3],
    ['is of a format that no SQLite writes', 44, 4],
    ['is in another encoding', 58, 2],
    ['is of a version that will never be', 61, 5],
  ])('is salvaged when one flipped bit of its head says that it %s', async (_, at, bit) => {
    const { fixture, epoch, db } = await damagedStore(driver, 'closed');
    await flip(db, at, bit);
    const store = await fixture.open();
    expect(store.epoch).not.toBe(epoch);
    await expectWhole(store);
  });

  it('sends again what was sealed and not acknowledged, and not what was', async () => {
    const { fixture, db } = await damagedStore(driver, 'closed');
    const file = await openFile(db, 'r+');
    await file.write(Buffer.alloc(100), 0, 100, 0);
    await file.close();
    const store = await fixture.open();
    const [stream] = await store.listStreams();
    expect(stream).toMatchObject({ lastSeq: 0, unacknowledgedBatches: 0, liveFrom: 41 });
    expect(stream?.backlog).toEqual([
      { from: 11, to: 21 },
      { from: 31, to: 41 },
    ]);
    expect(ids(await store.append([entry(9999)], 'now'))).toEqual([COMMITS * 10 + 1]);
  });

  it('does not let in frames that were heard before', async () => {
    const { fixture, db } = await damagedStore(driver, 'closed');
    await flip(db, 3);
    const store = await fixture.open();
    const counters = new Map((await store.sessions()).map(({ device, nextFCntUp }) => [device, nextFCntUp]));
    expect(counters.get('compteur-2')).toBe(9);
    expect(counters.get('compteur-15')).toBe(61);
  });

  it('is replaced when nothing can be read', async () => {
    const { fixture, db } = await damagedStore(driver, 'closed');
    await writeFile(db, 'this is no database '.repeat(1000));
    const store = await fixture.open();
    expect(await all(store)).toEqual([]);
    expect((await store.status()).salvage).not.toBeNull();
    expect(ids(await store.append([entry(0)], 'now'))).toEqual([1]);
  });

  it('is salvaged when the write-ahead log lost transactions that were committed', async () => {
    const { fixture, epoch, db } = await damagedStore(driver, 'cut');
    const wal = `${db}-wal`;
    await flip(wal, Math.floor((await sizeOf(wal)) * 0.7));
    const damaged = await readFile(wal);
    const store = await fixture.open();
    expect(store.epoch).not.toBe(epoch);
    const records = (await all(store)).map(({ record }) => record);
    const kept = records.filter(({ kind }) => kind === 'sample');
    expect(kept.length).toBeGreaterThan(0);
    expect(records.slice(kept.length)).toMatchObject([{ kind: 'gap', cause: 'store-damaged' }]);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => entry(index).record));
    const [directory] = await aside(fixture);
    expect(await readFile(join(fixture.dataDir, directory ?? '', 'cigale.db-wal.damaged'))).toEqual(damaged);
  });

  it.each(['removed', 'cut off'])('is salvaged when its write-ahead log was %s', async (kind) => {
    const { fixture: whole, epoch } = await damagedStore(driver, 'closed');
    const running = await whole.open();
    for (let index = 0; index < 20; index += 1) await running.append([entry(COMMITS * 10 + index)], 'now');
    const fixture = new StoreFixture(await temporaryDirectory(), driver);
    await fixture.clock.advance(2000);
    await snapshot(whole.dataDir, fixture.dataDir);
    const wal = join(fixture.dataDir, 'cigale.db-wal');
    await (kind === 'removed' ? rm(wal) : truncate(wal, Math.floor((await sizeOf(wal)) * 0.5)));
    const store = await fixture.open();
    expect(store.epoch).not.toBe(epoch);
    expect((await store.status()).salvage?.cause).toContain('are gone from the store');
    expect((await all(store)).length).toBeGreaterThanOrEqual(COMMITS * 10);
  });

  it('keeps the newest two damaged stores', async () => {
    const { fixture, db } = await damagedStore(driver, 'closed');
    const seen: string[] = [];
    for (let time = 0; time < 3; time += 1) {
      await flip(db, 2);
      await fixture.clock.advance(10_000);
      const store = await fixture.open();
      seen.push((await store.status()).salvage?.directory ?? '');
      await store.stop();
    }
    expect(await aside(fixture)).toEqual(seen.slice(1));
  });

  it('ends a salvage that was cut off anywhere', async () => {
    const { fixture, db } = await damagedStore(driver, 'closed');
    await writeFile(join(fixture.dataDir, 'cigale.db-damaged'), 'damaged-2026-01-01T00-00-00-000Z');
    const store = await fixture.open();
    await expectWhole(store);
    expect(await aside(fixture)).toEqual(['damaged-2026-01-01T00-00-00-000Z']);
    await store.stop();
    // Cut off between the last rename and the removal of the mark.
    await writeFile(join(fixture.dataDir, 'cigale.db-damaged'), 'damaged-2026-01-01T00-00-00-000Z');
    const second = await fixture.open();
    expect(second.epoch).toBe(store.epoch);
    await second.stop();
    // Cut off before the new store was in its place.
    await writeFile(join(fixture.dataDir, 'cigale.db-damaged'), 'damaged-2026-01-01T00-00-00-000Z');
    await rm(db);
    await writeFile(join(fixture.dataDir, 'cigale-salvage.db'), 'half');
    await expectWhole(await fixture.open());
  });

  it('leaves a store alone that another gateway has open', async () => {
    const { fixture } = await damagedStore(driver, 'closed');
    await fixture.open();
    await writeFile(join(fixture.dataDir, 'cigale.db-damaged'), 'damaged-2026-01-01T00-00-00-000Z');
    await expect(fixture.open()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    expect(await aside(fixture)).toEqual([]);
  });

  it.each([
    'UPDATE stream SET last_seq = 2',
    "UPDATE meta SET value = '01KA' WHERE key = 'epoch'",
    "UPDATE place SET tags = '[' WHERE id = 'place-1'",
    'PRAGMA user_version = 0',
  ])('is salvaged when what it holds cannot be: %s', async (sql) => {
    const { fixture, epoch, db } = await damagedStore(driver, 'closed');
    const editor = await openDriver({ path: db, driver, log: fixture.log });
    await editor.transaction([{ sql, params: [] }]);
    await editor.close();
    const store = await fixture.open();
    expect(store.epoch).not.toBe(epoch);
    expect(await all(store)).toHaveLength(COMMITS * 10);
    expect((await store.places()).length).toBeGreaterThanOrEqual(PLACES.length - 1);
    const [stream] = await store.listStreams();
    expect(stream).toMatchObject({ stream: 'ville', lastSeq: 0 });
    expect(stream?.liveFrom).toBeLessThanOrEqual(store.head());
    expect(await store.aggregateCursor()).toBeLessThanOrEqual(store.head());
  });

  it('runs an older flow when the newest is damaged, and without passwords when they cannot be read', async () => {
    const { fixture, db } = await damagedStore(driver, 'closed');
    await truncate(`${db}-wal`, 0).catch(() => undefined);
    const bytes = await readFile(db);
    const at = bytes.indexOf(FLOWS.at(-1) ?? '');
    await flip(db, at + 8);
    const store = await fixture.open();
    expect(await store.flow(3)).toBeUndefined();
    expect((await store.flow(2))?.json).toBe(FLOWS[1]);
  });
});
