import { describe, expect, it } from 'vitest';
import { DRIVER_NAMES } from '../../src/store/driver.ts';
import type { Store } from '../../src/store/store.ts';
import { entry } from './records.ts';
import { StoreFixture, batch } from './store-fixture.ts';

const REST = { liveFrom: 1, backlog: [] };
const seqs = (batches: readonly { readonly seq: number }[]): readonly number[] => batches.map(({ seq }) => seq);

async function withBatches(fixture: StoreFixture, count: number): Promise<Store> {
  const store = await fixture.open();
  await store.openStream('ville', 5);
  for (let seq = 1; seq <= count; seq += 1) await store.sealBatch(batch(seq), REST);
  return store;
}

async function acknowledge(fixture: StoreFixture, store: Store, numbers: readonly number[], atMs = 100): Promise<void> {
  const written = numbers.map((seq) => store.acknowledge('ville', seq, atMs));
  await fixture.clock.advance(1000);
  await Promise.all(written);
}

describe.each(DRIVER_NAMES)('the outbox on %s', (driver) => {
  it('starts a new stream at the head of the log, and an old one where it was', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    await store.append([entry(0), entry(1)], 'now');
    const [state, same] = await Promise.all([store.openStream('ville', 5), store.openStream('ville', 6)]);
    expect(state).toEqual({
      stream: 'ville',
      lastSeq: 0,
      liveFrom: 3,
      backlog: [],
      unacknowledgedBatches: 0,
      keptFrom: 0,
      parkedRecords: 0,
      createdAt: 5,
    });
    expect(same).toEqual(state);
    await store.append([entry(2)], 'now');
    expect(await (await fixture.reopen(store)).openStream('ville', 9)).toEqual(state);
  });

  it('keeps a sealed batch as it was given, and the rest it leaves, in one transaction', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await withBatches(fixture, 0);
    const rest = {
      liveFrom: 12,
      backlog: [
        { from: 3, to: 7 },
        { from: 9, to: 10 },
      ],
    };
    await store.sealBatch(batch(1, { lane: 'backlog', encoding: 'zstd' }), rest);
    const reopened = await fixture.reopen(store);
    const kept = await reopened.batches('ville', 1, 1, 10);
    expect(kept.map((one) => ({ ...one, body: Uint8Array.from(one.body) }))).toEqual([
      batch(1, { lane: 'backlog', encoding: 'zstd' }),
    ]);
    expect(await reopened.listStreams()).toEqual([
      { stream: 'ville', lastSeq: 1, ...rest, unacknowledgedBatches: 1, keptFrom: 1, parkedRecords: 0, createdAt: 5 },
    ]);
    // At once: after an outage the live lane waits for it.
    await reopened.moveStream('ville', { liveFrom: 20, backlog: [] });
    expect(await (await fixture.reopen(reopened)).listStreams()).toMatchObject([
      { liveFrom: 20, backlog: [], lastSeq: 1 },
    ]);
  });

  it('refuses a number that is not the next, and a stream that nobody opened', async () => {
    const store = await withBatches(await StoreFixture.create(driver), 2);
    for (const seq of [1, 2, 4])
      await expect(store.sealBatch(batch(seq), REST)).rejects.toMatchObject({ code: 'INTERNAL' });
    const racing = await Promise.allSettled([store.sealBatch(batch(3), REST), store.sealBatch(batch(3), REST)]);
    expect(racing.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await store.listStreams()).toMatchObject([{ lastSeq: 3 }]);
    await expect(store.sealBatch(batch(1, { stream: 'other' }), REST)).rejects.toMatchObject({
      code: 'STREAM_UNKNOWN',
    });
    await expect(store.batches('other', 1, 2, 3)).rejects.toMatchObject({ code: 'STREAM_UNKNOWN' });
  });

  it('gives unacknowledged batches in order, whatever order they are acknowledged in', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await withBatches(fixture, 6);
    await acknowledge(fixture, store, [4, 1, 2]);
    await acknowledge(fixture, store, [2, 99, 0]);
    for (const opened of [store, await fixture.reopen(store)]) {
      if (opened === store) continue;
      expect(seqs(await opened.unacknowledged('ville', 0, 10))).toEqual([3, 5, 6]);
      expect(seqs(await opened.unacknowledged('ville', 3, 1))).toEqual([5]);
      expect(await opened.listStreams()).toMatchObject([{ unacknowledgedBatches: 3, keptFrom: 1 }]);
    }
  });

  it('does not give a batch again whose acknowledgement waits for its commit', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await withBatches(fixture, 5);
    const waiting = [2, 1, 4].map((seq) => store.acknowledge('ville', seq, 1));
    expect(seqs(await store.unacknowledged('ville', 0, 2))).toEqual([3, 5]);
    await fixture.clock.advance(1000);
    await Promise.all(waiting);
  });

  it('gives a range of kept batches for resending', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await withBatches(fixture, 6);
    await acknowledge(fixture, store, [1, 2, 3, 4, 5, 6]);
    expect(seqs(await store.batches('ville', 2, 5, 10))).toEqual([2, 3, 4, 5]);
    expect(seqs(await store.batches('ville', -3, 99, 2))).toEqual([1, 2]);
  });

  it('deletes what was acknowledged long enough ago, never what was not', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await withBatches(fixture, 320);
    const numbers = Array.from({ length: 310 }, (_, index) => index + 1).filter((seq) => seq !== 7);
    await acknowledge(fixture, store, numbers.slice(0, 250), 100);
    await acknowledge(fixture, store, numbers.slice(250), 200);
    expect(await store.pruneAcknowledged(150)).toBe(250);
    expect(await store.pruneAcknowledged(150)).toBe(0);
    const reopened = await fixture.reopen(store);
    expect(seqs(await reopened.batches('ville', 1, 260, 5))).toEqual([7, 252, 253, 254, 255]);
    expect(await reopened.listStreams()).toMatchObject([{ lastSeq: 320, unacknowledgedBatches: 11, keptFrom: 7 }]);
    expect(seqs(await reopened.unacknowledged('ville', 0, 3))).toEqual([7, 311, 312]);
  });

  it('gives no stream the place of another after one that the full queue refused', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await withBatches(fixture, 1);
    const filling = store.append(Array.from({ length: 200_000 }, (_, index) => entry(index)));
    await expect(store.openStream('refused', 6)).rejects.toMatchObject({ code: 'STORE_BACKPRESSURE' });
    await fixture.clock.advance(1000);
    await filling;
    await store.openStream('metropole', 7);
    await store.sealBatch(batch(1, { stream: 'metropole' }), REST);
    const reopened = await fixture.reopen(store);
    await reopened.openStream('refused', 8);
    await reopened.openStream('region', 9);
    const kept = (await fixture.reopen(reopened)).listStreams();
    expect((await kept).map(({ stream, lastSeq }) => [stream, lastSeq])).toEqual([
      ['ville', 1],
      ['metropole', 1],
      ['refused', 0],
      ['region', 0],
    ]);
  });

  it('forgets a dropped stream, but never gives one of its numbers again', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await withBatches(fixture, 3);
    await store.openStream('metropole', 6);
    expect(await store.dropStream('ville')).toBe(true);
    expect(await store.dropStream('ville')).toBe(false);
    expect(await store.dropStream('nobody')).toBe(false);
    const reopened = await fixture.reopen(store);
    expect((await reopened.listStreams()).map(({ stream }) => stream)).toEqual(['metropole']);
    await reopened.append([entry(0)], 'now');
    const state = await reopened.openStream('ville', 77);
    expect(state).toMatchObject({ lastSeq: 3, liveFrom: 2, keptFrom: 0, unacknowledgedBatches: 0, createdAt: 77 });
    await reopened.sealBatch(batch(4), REST);
    expect(seqs(await reopened.unacknowledged('ville', 0, 10))).toEqual([4]);
  });

  it('replaces a refused batch by an empty one and its parts, in one transaction', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await withBatches(fixture, 3);
    const empty = batch(2, { recordCount: 0, sha256: 'e' });
    await store.replaceBatch({ empty, parts: [batch(4), batch(5)], parked: null });
    for (const opened of [store, await fixture.reopen(store)]) {
      if (opened === store) continue;
      const kept = await opened.batches('ville', 1, 9, 10);
      expect(kept.map(({ seq, recordCount }) => [seq, recordCount])).toEqual([
        [1, 10],
        [2, 0],
        [3, 10],
        [4, 10],
        [5, 10],
      ]);
      expect(await opened.listStreams()).toMatchObject([{ lastSeq: 5, unacknowledgedBatches: 5, parkedRecords: 0 }]);
      await opened.sealBatch(batch(6), REST);
    }
  });

  it('refuses a replacement of what is not open, or that leaves a gap', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await withBatches(fixture, 3);
    await acknowledge(fixture, store, [1, 3]);
    const wrong = [
      { empty: batch(1), parts: [batch(4)], parked: null },
      { empty: batch(3), parts: [batch(4)], parked: null },
      { empty: batch(4), parts: [batch(5)], parked: null },
      { empty: batch(2), parts: [batch(5)], parked: null },
      { empty: batch(2), parts: [batch(4), batch(4)], parked: null },
    ];
    for (const one of wrong) await expect(store.replaceBatch(one)).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await store.listStreams()).toMatchObject([{ lastSeq: 3, unacknowledgedBatches: 1 }]);
  });

  it('keeps a parked record until its stream is dropped, and no more than a thousand', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await withBatches(fixture, 1002);
    const parked = (seq: number) => ({
      stream: 'ville',
      epoch: 'E',
      seq,
      id: String(seq),
      naturalKey: `gw/E/${seq}/0`,
      reasonCode: seq === 1 ? null : 0x99,
      parkedAt: 7,
      record: `{"id":"${seq}"}`,
    });
    const park = (seq: number) => store.replaceBatch({ empty: batch(seq), parts: [], parked: parked(seq) });
    for (let seq = 1; seq <= 1000; seq += 1) await park(seq);
    await expect(park(1001)).rejects.toMatchObject({ code: 'INTERNAL' });
    const reopened = await fixture.reopen(store);
    expect(await reopened.parkedRecords('ville', 2)).toEqual([parked(1), parked(2)]);
    expect(await reopened.listStreams()).toMatchObject([{ lastSeq: 1002, parkedRecords: 1000 }]);
    await reopened.dropStream('ville');
    expect(await reopened.openStream('ville', 9)).toMatchObject({ parkedRecords: 0 });
    expect(await reopened.parkedRecords('ville', 2)).toEqual([]);
  }, 30_000);
});
