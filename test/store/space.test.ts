import { cp } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { Lanes } from '../../src/forward/lanes.ts';
import type { LogEntry, NewEntry } from '../../src/model/record.ts';
import { DamagedFiles } from '../../src/store/damaged-files.ts';
import { DRIVER_NAMES } from '../../src/store/driver.ts';
import { openStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { settle } from '../fakes/manual-clock.ts';
import { aggregate, sample } from './records.ts';
import { StoreFixture, all, batch } from './store-fixture.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const PER_COMMIT = 2048;

/** Of the same index always the same, and not compressible. */
const noiseOf = (index: number): number => (Math.imul(index ^ (index >>> 7), 0x9e3779b1) >>> 9) % 4096;

/** Values that do not compress to nothing, and among them what a rule computed. */
const entriesOf = (count: number, from = 0): NewEntry[] =>
  Array.from({ length: count }, (_, offset): NewEntry => {
    const index = from + offset;
    if (index % 500 === 499) return { record: aggregate(1_780_000_000_000 + index * 1000), to: ['stream:ville'] };
    const delayMs = noiseOf(index) % 97;
    const value = 40 + (noiseOf(index + 1_000_000) % 400) / 10;
    const record = sample(index, { value, receivedAt: 1_780_000_000_000 + index * 1000 + delayMs });
    return { record, to: ['stream:ville'] };
  });

/** Every window up to that entry is written. */
async function aggregated(fixture: StoreFixture, store: Store, cursor: number): Promise<void> {
  const written = store.writeWindows([], cursor);
  await fixture.clock.advance(1000);
  await written;
}

async function fill(fixture: StoreFixture, store: Store, commits: number): Promise<void> {
  for (let commit = 0; commit < commits; commit += 1)
    await store.append(entriesOf(PER_COMMIT, commit * PER_COMMIT), 'now');
  await aggregated(fixture, store, store.head());
}

/** Lets the store make room until it rests; whether it has enough then. */
async function relieved(fixture: StoreFixture, store: Store, turns = 400): Promise<boolean> {
  let before = Infinity;
  for (let turn = 0; turn < turns; turn += 1) {
    await fixture.clock.advance(5000);
    for (let wait = 0; wait < 4; wait += 1) await pause();
    const { bytes, limitBytes } = await store.status();
    if (limitBytes !== null && bytes <= (limitBytes * 14) / 16 && bytes === before) return true;
    before = bytes;
  }
  return false;
}

/** Waits until blocks are merged, and sets the limit to a share of what is in use then. */
async function limitTo(fixture: StoreFixture, store: Store, share: number): Promise<void> {
  await fixture.clock.advance(61_000);
  let before = Infinity;
  for (let now = (await store.status()).bytes; now < before; now = (await store.status()).bytes) {
    before = now;
    for (let turn = 0; turn < 10; turn += 1) await pause();
  }
  await store.setDiskLimit((before * share) / 1_048_576);
}

const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 10));

const samplesIn = (entries: readonly LogEntry[]): number =>
  entries.filter(({ record }) => record.kind === 'sample').length;
const declaredIn = (entries: readonly LogEntry[]): number =>
  entries.reduce(
    (sum, { record }) => sum + (record.kind === 'gap' && record.cause === 'thinned' ? (record.count ?? 0) : 0),
    0,
  );
const thinnedIn = (entries: readonly LogEntry[]): LogEntry[] =>
  entries.filter(({ record }) => record.kind === 'aggregate' && record.flags.includes('thinned'));
const computedIn = (entries: readonly LogEntry[]): LogEntry[] =>
  entries.filter(({ record }) => record.kind === 'aggregate' && !record.flags.includes('thinned'));

const COMMITS = 14;
const ACCEPTED = COMMITS * PER_COMMIT;
const COMPUTED = Math.floor(ACCEPTED / 500);
const SAMPLES = ACCEPTED - COMPUTED;
const REST = { liveFrom: 1, backlog: [] };

describe.each(DRIVER_NAMES)('the space of the store on %s', (driver) => {
  const filled = async (commits = COMMITS): Promise<{ fixture: StoreFixture; store: Store }> => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    await store.openStream('ville', 0);
    await fill(fixture, store, commits);
    return { fixture, store };
  };

  it('merges small blocks into sealed ones that give the same entries by id and by time, before and after a restart', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    for (let commit = 0; commit < 600; commit += 1) await store.append(entriesOf(5, commit * 5), 'now');
    const before = await all(store);
    const { bytes } = await store.status();
    await fixture.clock.advance(61_000);
    for (let turn = 0; turn < 100 && (await store.status()).bytes > bytes / 2; turn += 1) await pause();
    expect((await store.status()).bytes).toBeLessThan(bytes / 2);
    const reopened = await fixture.reopen(store);
    expect(await all(reopened)).toEqual(before);
    expect(await reopened.read(1, 10_000)).toEqual(before);
    expect((await reopened.read(1500, 10)).find(({ id }) => id >= 1500)).toEqual(before[1499]);
    expect(await all(reopened, { fromMs: 1_780_000_700_000, toMs: 1_780_000_900_000 })).toEqual(
      before.filter(({ id }) => id >= 701 && id <= 900),
    );
  });

  it('says what room an outage would find: what gives way first, what a record takes, where thinning begins', async () => {
    const { fixture, store } = await filled();
    expect((await store.status()).space).toMatchObject({ fullBytes: null, spareBytes: 0, thinnedSamples: 0 });
    await limitTo(fixture, store, 2);
    await store.moveStream('ville', { liveFrom: store.head(), backlog: [] });
    await fixture.clock.advance(600_000);
    const { space, records, bytes, limitBytes } = await store.status();
    expect(records).toBe(ACCEPTED);
    expect(space?.fullBytes).toBe(((limitBytes ?? 0) * 14) / 16);
    expect(space?.recordBytes).toBeGreaterThan(1);
    expect(space?.recordBytes).toBeLessThan(10);
    expect(space?.spareBytes).toBeGreaterThan(bytes / 2);
    expect(space?.spareBytes).toBeLessThan(bytes * 1.2);
  });

  it('thins acknowledged samples at the limit, oldest first, without losing energy, and keeps what rules computed', async () => {
    const { fixture, store } = await filled();
    await store.moveStream('ville', { liveFrom: store.head(), backlog: [] });
    const revision = store.revision();
    await limitTo(fixture, store, 0.8);
    expect(await relieved(fixture, store)).toBe(true);
    const entries = await all(store);
    expect(samplesIn(entries) + declaredIn(entries)).toBe(SAMPLES);
    expect(declaredIn(entries)).toBeGreaterThan(0);
    expect(computedIn(entries)).toHaveLength(COMPUTED);
    expect(entries.at(-1)?.record.kind).toBe('sample');
    const newestThinned = thinnedIn(entries).at(-1)?.id ?? 0;
    expect(newestThinned).toBeLessThan(ACCEPTED * 0.9);
    // One sample alone in its minute stays what it is.
    expect(samplesIn(entries.filter(({ id }) => id < newestThinned))).toBeLessThan(newestThinned / 500);
    expect(store.revision()).toBe(revision);
    const reopened = await fixture.reopen(store);
    expect(await all(reopened)).toEqual(entries);
    expect(await reopened.read(1, 100_000)).toEqual(entries);
  });

  it('thins what no upstream has when nothing else can go, and a batch read before is refused', async () => {
    const { fixture, store } = await filled();
    const before = store.revision();
    await limitTo(fixture, store, 0.6);
    expect(await relieved(fixture, store)).toBe(true);
    const waiting = await store.read(1, 100_000);
    expect(samplesIn(waiting) + declaredIn(waiting)).toBe(SAMPLES);
    expect(computedIn(waiting)).toHaveLength(COMPUTED);
    expect(store.revision()).toBeGreaterThan(before);
    expect(await store.sealBatch(batch(1), REST, before)).toBe(false);
    expect((await store.listStreams())[0]?.lastSeq).toBe(0);
    const sealed = store.sealBatch(batch(1), REST, store.revision());
    await fixture.clock.advance(1000);
    expect(await sealed).toBe(true);
  });

  it('keeps apart, in one block, what a stream has sent and what it has not', async () => {
    const { fixture, store } = await filled();
    const sentTo = 1001;
    await store.sealBatch(batch(1), { liveFrom: sentTo, backlog: [] });
    const acknowledged = store.acknowledge('ville', 1, 5);
    await limitTo(fixture, store, 0.6);
    await acknowledged;
    expect(await relieved(fixture, store)).toBe(true);
    const left = await all(store);
    const waiting = left.filter(({ id }) => id >= sentTo);
    expect(declaredIn(left) - declaredIn(waiting)).toBeGreaterThan(0);
    expect(samplesIn(waiting) + declaredIn(waiting)).toBe(SAMPLES - (sentTo - 1 - Math.floor((sentTo - 1) / 500)));
  });

  it('gives a sender that holds samples in memory what has taken their place', async () => {
    const { fixture, store } = await filled();
    const [state] = await store.listStreams();
    if (state === undefined) throw new Error('no stream');
    const lanes = new Lanes(store, 'ville', state, store.head(), 2000);
    expect(samplesIn(await lanes.peek('live', 500))).toBeGreaterThan(490);
    const before = lanes.revision;
    await limitTo(fixture, store, 0.6);
    expect(await relieved(fixture, store)).toBe(true);
    expect(await store.sealBatch(batch(1), lanes.restAfter('live', 500), before)).toBe(false);
    const fresh = await lanes.peek('live', 500);
    expect(thinnedIn(fresh.slice(0, 30)).length).toBeGreaterThan(5);
    expect(fresh).toEqual((await store.read(1, 10_000)).slice(0, fresh.length));
    expect(await store.sealBatch(batch(1), lanes.restAfter('live', 500), lanes.revision)).toBe(true);
  });

  it('never thins what a batch without acknowledgement holds, what windows are rebuilt from, or what the guard holds back', async () => {
    const { fixture, store } = await filled();
    await store.sealBatch(batch(1), { liveFrom: 5000, backlog: [] });
    await aggregated(fixture, store, 20_000);
    await limitTo(fixture, store, 0.6);
    for (let turn = 0; turn < 30; turn += 1) {
      await fixture.clock.advance(5000);
      await pause();
    }
    const touched = thinnedIn(await all(store)).map(({ id }) => id);
    expect(touched.length).toBeGreaterThan(0);
    expect(Math.min(...touched)).toBeGreaterThan(5000);
    expect(Math.max(...touched)).toBeLessThan(20_000);
    await store.stop();
    const { clock, log, metrics, dataDir } = fixture;
    const finalBelowId = (): number => 1;
    const guarded = await openStore({ dataDir, clock, log, metrics, driver, random: () => 0.5, finalBelowId });
    await guarded.start();
    const before = await all(guarded);
    await aggregated(fixture, guarded, guarded.head());
    await guarded.setDiskLimit(0.05);
    for (let turn = 0; turn < 20; turn += 1) {
      await clock.advance(5000);
      await pause();
    }
    expect(await all(guarded)).toEqual(before);
    await guarded.stop();
  });

  it('still seals and acknowledges batches when nothing may be thinned and new records are refused room', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    await store.openStream('ville', 0);
    await store.setDiskLimit(0.25);
    const waiting: Promise<unknown>[] = [];
    const computed = (round: number): NewEntry[] =>
      Array.from({ length: 500 }, (_, index) => {
        const start = 1_780_000_000_000 + (round * 500 + index) * 60_000;
        return { record: aggregate(start, { values: { LAeq: noiseOf(start / 60_000) / 41 } }), to: ['stream:ville'] };
      });
    for (let round = 0; round < 200 && (await store.status()).fault === null; round += 1) {
      waiting.push(store.append(computed(round), 'now'));
      await pause();
    }
    expect((await store.status()).fault).toBe('STORE_FULL');
    const accepted = store.head();
    expect(await store.sealBatch({ ...batch(1), body: new Uint8Array(8000).fill(7) }, REST)).toBe(true);
    await store.acknowledge('ville', 1, 5);
    expect((await store.listStreams())[0]).toMatchObject({ lastSeq: 1, unacknowledgedBatches: 0 });
    expect((await store.status()).fault).toBe('STORE_FULL');
    expect(store.head()).toBe(accepted);
    await store.setDiskLimit(8);
    for (let turn = 0; turn < 20 && (await store.status()).fault !== null; turn += 1) {
      await fixture.clock.advance(30_000);
      await pause();
    }
    await Promise.all(waiting);
  });

  it('leaves a store that adds up at whatever moment the process is killed', async () => {
    const { fixture, store } = await filled();
    await limitTo(fixture, store, 0.6);
    const state = { isDone: false };
    const thinning = relieved(fixture, store).then((enough) => {
      state.isDone = true;
      return enough;
    });
    const copies: string[] = [];
    while (!state.isDone) {
      for (let turn = 0; turn < 3; turn += 1) await settle();
      if (copies.length >= 4) continue;
      const copy = await temporaryDirectory();
      await cp(fixture.dataDir, copy, { recursive: true });
      copies.push(copy);
    }
    expect(await thinning).toBe(true);
    expect(copies.length).toBeGreaterThan(0);
    for (const copy of copies) {
      const killed = await new StoreFixture(copy, driver).open();
      const entries = await all(killed);
      expect(samplesIn(entries) + declaredIn(entries)).toBe(SAMPLES);
      await killed.stop();
    }
  });

  it('carries thinned and sealed blocks over a salvage under their ids', async () => {
    const { fixture, store } = await filled();
    await limitTo(fixture, store, 0.6);
    expect(await relieved(fixture, store)).toBe(true);
    const before = await all(store);
    await store.stop();
    await new DamagedFiles(fixture.dataDir).mark(fixture.clock.nowMs());
    const salvaged = await fixture.open();
    expect(salvaged.epoch).not.toBe(store.epoch);
    expect(await all(salvaged)).toEqual(before);
    expect((await salvaged.listStreams())[0]).toMatchObject({ stream: 'ville', liveFrom: 1 });
  });

  it('goes on from minutes to quarters of an hour, and at last lets go what is acknowledged, from the beginning on', async () => {
    const { fixture, store } = await filled();
    await store.moveStream('ville', { liveFrom: store.head(), backlog: [] });
    const seen = new Set<string>();
    await limitTo(fixture, store, 0.8);
    for (let turn = 0; turn < 16; turn += 1) {
      await store.setDiskLimit(((await store.status()).bytes * 1.1) / 1_048_576);
      await relieved(fixture, store, 4);
      for (const { record } of thinnedIn(await all(store)))
        if (record.kind === 'aggregate') seen.add(String(record.periodMs));
    }
    expect([...seen]).toEqual(expect.arrayContaining(['60000', '900000']));
    expect(computedIn(await all(store)).length).toBeLessThan(COMPUTED);
    const reopened = await fixture.reopen(store);
    await reopened.setDiskLimit(null);
    expect((await reopened.append(entriesOf(1), 'now')).map(({ id }) => id)).toEqual([ACCEPTED + 1]);
  });
});
