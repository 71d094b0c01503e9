import { describe, expect, it } from 'vitest';
import { MAX_BLOCK_ENTRIES } from '../../src/store/block-codec.ts';
import { DRIVER_NAMES } from '../../src/store/driver.ts';
import { openDriver } from '../../src/store/open-driver.ts';
import type { Store } from '../../src/store/store.ts';
import { aggregate, entry, sample } from './records.ts';
import { StoreFixture, all, ids } from './store-fixture.ts';

const entries = (count: number, from = 0) => Array.from({ length: count }, (_, index) => entry(from + index));

describe.each(DRIVER_NAMES)('the log on %s', (driver) => {
  it('numbers entries from 1 in the order given, and gives them back as they were', async () => {
    const store = await (await StoreFixture.create(driver)).open();
    expect(store.head()).toBe(1);
    const written = await store.append(entries(3), 'now');
    expect(ids(written)).toEqual([1, 2, 3]);
    expect(store.head()).toBe(4);
    expect(await store.read(1, 100)).toEqual(written);
    expect(await store.read(3, 100)).toEqual(written.slice(2));
    expect(await store.read(4, 100)).toEqual([]);
  });

  it('accepts within the commit interval: many appends share one block', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    const appended = entries(20).map((one) => store.append([one]));
    expect(store.head()).toBe(1);
    await fixture.clock.advance(1000);
    const written = await Promise.all(appended);
    expect(written.map((group) => group[0]?.id)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    await store.stop();
    expect(await countRows(fixture, 'log')).toBe(1);
  });

  it('tells listeners every committed entry once, in order, before the promise resolves', async () => {
    const store = await (await StoreFixture.create(driver)).open();
    const heard: number[] = [];
    const stop = store.onCommitted((committed) => heard.push(...ids(committed)));
    const first = store.append(entries(2), 'now').then(() => [...heard]);
    await Promise.all([first, store.append(entries(3), 'now')]);
    await store.append(entries(1), 'now');
    expect(await first).toEqual(expect.arrayContaining([1, 2]));
    expect(heard).toEqual([1, 2, 3, 4, 5, 6]);
    stop();
    await store.append(entries(1), 'now');
    expect(heard).toHaveLength(6);
  });

  it('goes on when a listener throws, and says so', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    store.onCommitted(() => {
      throw new Error('broken listener');
    });
    expect(ids(await store.append(entries(1), 'now'))).toEqual([1]);
    expect(fixture.log.lines.map(({ message }) => message)).toContain('a listener of the log failed');
  });

  it('continues numbers and contents after a restart, and reads old blocks from the disk', async () => {
    const fixture = await StoreFixture.create(driver);
    const before = await fixture.open();
    const written = [];
    for (let part = 0; part < 70; part += 1) written.push(...(await before.append(entries(7, part * 7), 'now')));
    const store = await fixture.reopen(before);
    expect(store.head()).toBe(491);
    expect(await store.read(1, 10_000)).toEqual(written);
    expect(ids(await store.read(100, 10))).toEqual(expect.arrayContaining([100, 109]));
    expect((await store.append(entries(1), 'now'))[0]?.id).toBe(491);
    expect(ids(await store.read(488, 10))).toEqual([488, 489, 490, 491]);
  });

  it('cuts a commit with very many entries into several blocks', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    await store.append(entries(2 * MAX_BLOCK_ENTRIES + 1), 'now');
    const reopened = await fixture.reopen(store);
    const read = await reopened.read(MAX_BLOCK_ENTRIES + 5, 10);
    expect(read[0]?.id).toBe(MAX_BLOCK_ENTRIES + 5);
    expect(read.at(-1)?.id).toBe(2 * MAX_BLOCK_ENTRIES);
    expect(await all(reopened)).toHaveLength(2 * MAX_BLOCK_ENTRIES + 1);
    await reopened.stop();
    expect(await countRows(fixture, 'log')).toBe(3);
  });

  it('finds entries by time over segments and after them, with every filter, before and after a restart', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    const start = sample(0).observedAt;
    for (let part = 0; part < 1100; part += 1) await store.append([entry(part)], 'now');
    const other = sample(50, { place: 'place-port', channel: 'nord', quantity: 'LAFmax' });
    await store.append(
      [
        { record: other, to: [] },
        { record: aggregate(start), to: [] },
      ],
      'now',
    );
    const check = async (opened: Store): Promise<void> => {
      const range = { fromMs: start + 500_000, toMs: start + 600_000 };
      expect(ids(await all(opened, range))).toEqual(Array.from({ length: 100 }, (_, index) => 501 + index));
      expect(ids(await all(opened, { ...range, afterId: 598 }))).toEqual([599, 600]);
      expect(await all(opened, { fromMs: start + 1_090_000, toMs: start + 1_100_000 })).toHaveLength(10);
      expect(ids(await all(opened, { place: 'place-port' }))).toEqual([1101]);
      expect(ids(await all(opened, { channel: 'nord', quantity: 'LAFmax', kind: 'sample' }))).toEqual([1101]);
      expect(ids(await all(opened, { kind: 'aggregate' }))).toEqual([1102]);
      expect(await all(opened, { fromMs: start + 2_000_000 })).toEqual([]);
    };
    await check(store);
    await check(await fixture.reopen(store));
  });

  it('gives long ranges in pages', async () => {
    const store = await (await StoreFixture.create(driver)).open();
    await store.append(entries(2500), 'now');
    await store.append(entries(2500), 'now');
    const pages = [];
    for await (const page of store.readRange({ fromMs: 0, toMs: 9e15 })) pages.push(page.length);
    expect(pages).toEqual([2500, 2500]);
  });

  it('never gives a damaged block as data: it is passed over, counted and declared, and its numbers stay used', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    await store.openStream('ville', 1);
    await store.openStream('metropole', 1);
    for (const part of [0, 1, 2]) await store.append(entries(5, part * 5), 'now');
    await store.moveStream('metropole', { liveFrom: 11, backlog: [] });
    await store.stop();
    await change(fixture, 'UPDATE log SET data = zeroblob(length(data)) WHERE first_id = 6');
    const damaged = await fixture.open();
    expect(ids(await damaged.read(1, 100))).toEqual([1, 2, 3, 4, 5, 11, 12, 13, 14, 15]);
    expect(ids(await all(damaged))).toEqual([1, 2, 3, 4, 5, 11, 12, 13, 14, 15]);
    expect(fixture.metrics.value('cigale_store_damaged_blocks_total')).toBe(2);
    await expect.poll(() => damaged.head()).toBe(17);
    const [gap] = await damaged.read(16, 1);
    expect(gap).toMatchObject({
      record: { kind: 'gap', cause: 'store-damaged', from: sample(4).receivedAt, to: sample(10).receivedAt },
      to: ['stream:ville'],
    });
    expect(fixture.log.lines.some(({ level }) => level === 'error')).toBe(true);
    await damaged.stop();
    await change(fixture, 'UPDATE log SET count = 0 WHERE first_id = 11');
    const worse = await fixture.open();
    expect(worse.head()).toBeGreaterThanOrEqual(16);
    expect(ids(await worse.read(1, 100))).toEqual([1, 2, 3, 4, 5, 16]);
    await worse.stop();
    const last = await fixture.open();
    expect(ids(await last.read(1, 100))).toEqual([1, 2, 3, 4, 5, 16, 17]);
    expect(fixture.metrics.value('cigale_store_damaged_blocks_total')).toBe(3);
  });

  it('refuses appends after stop with STORE_CLOSED, having committed what was queued', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    const appended = store.append(entries(4));
    await store.stop();
    expect(ids(await appended)).toEqual([1, 2, 3, 4]);
    await expect(store.append(entries(1))).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    expect((await fixture.open()).head()).toBe(5);
  });

  it('keeps its epoch over restarts and reports its state', async () => {
    const fixture = await StoreFixture.create(driver);
    const first = await fixture.open();
    const { epoch } = first;
    expect(epoch).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    await first.append(entries(100), 'now');
    const store = await fixture.reopen(first);
    expect(store.epoch).toBe(epoch);
    await store.setDiskLimit(10);
    const waiting = store.append(entries(3));
    expect(await store.status()).toMatchObject({
      driver,
      epoch,
      limitBytes: 10 * 1024 * 1024,
      pendingEntries: 3,
      fault: null,
    });
    expect((await store.status()).bytes).toBeGreaterThan(4096);
    await store.stop();
    await waiting;
  });

  it('says STORE_FULL at the disk limit, keeps what waits, and takes it once there is room', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    await store.setDiskLimit(1);
    const body = new Uint8Array(700 * 1024).fill(1);
    await store.openStream('ville', 0);
    await store.sealBatch({ ...fullBatch(1), body }, { liveFrom: 1, backlog: [] });
    const acknowledged = store.acknowledge('ville', 1, 5);
    await fixture.clock.advance(1000);
    await acknowledged;
    const second = store.sealBatch({ ...fullBatch(2), body }, { liveFrom: 1, backlog: [] });
    await until(async () => (await store.status()).fault === 'STORE_FULL');
    const appended = store.append(entries(3), 'now');
    await until(async () => {
      await fixture.clock.advance(5000);
      return (await store.status()).fault === null;
    });
    await second;
    expect(ids(await appended)).toEqual([1, 2, 3]);
    expect((await store.batches('ville', 1, 2, 10)).map(({ seq }) => seq)).toEqual([2]);
  });
});

const fullBatch = (seq: number) => ({
  stream: 'ville',
  epoch: 'E',
  seq,
  lane: 'live' as const,
  createdAt: 1,
  recordCount: 1,
  sha256: '',
  encoding: 'identity' as const,
  body: new Uint8Array(0),
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) if (performance.now() > deadline) throw new Error('waited in vain');
}

async function change(fixture: StoreFixture, sql: string): Promise<void> {
  const driver = await openDriver({ path: `${fixture.dataDir}/cigale.db`, driver: fixture.driver, log: fixture.log });
  await driver.transaction([{ sql, params: [] }]);
  await driver.close();
}

async function countRows(fixture: StoreFixture, table: string): Promise<unknown> {
  const driver = await openDriver({ path: `${fixture.dataDir}/cigale.db`, driver: fixture.driver, log: fixture.log });
  const [row] = await driver.read(`SELECT count(*) AS n FROM ${table}`);
  await driver.close();
  return row?.['n'];
}
