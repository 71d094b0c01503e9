import { describe, expect, it } from 'vitest';
import type { GapRecord, NewEntry } from '../../src/model/record.ts';
import { DRIVER_NAMES } from '../../src/store/driver.ts';
import type { RetimeSpan } from '../../src/store/clock-store.ts';
import type { Store } from '../../src/store/store.ts';
import { entry, sample } from './records.ts';
import { StoreFixture, all } from './store-fixture.ts';

const HOUR_MS = 3_600_000;
const estimated = (index: number): NewEntry => ({
  record: sample(index, { observedAt: 5000 + index, receivedAt: 5000 + index, flags: ['clock-estimated'] }),
  to: ['stream:ville'],
});
const gap = (from: number, to: number): NewEntry => ({
  record: { kind: 'gap', place: '', stream: '', from, to, cause: 'gateway-off', count: null } satisfies GapRecord,
  to: ['stream:ville'],
});
const span = (fromId: number, toId: number): RetimeSpan => ({
  fromId,
  toId,
  startAt: 4000,
  endAt: 9000,
  deltaMs: 500 * HOUR_MS,
});

/** A call for each step, as a process does that is killed after every one. */
async function retimeAll(store: Store, of: RetimeSpan): Promise<number> {
  let next = of.fromId;
  let steps = 0;
  while (next < of.toId) {
    next = await store.retime({ ...of, fromId: next }, (id) => JSON.stringify({ next: id }));
    expect(JSON.parse((await store.clockState()) ?? '')).toEqual({ next });
    steps += 1;
  }
  return steps;
}

describe.each(DRIVER_NAMES)('re-timing on %s', (driver) => {
  it('gives estimated samples their time and takes the flag from them, and touches no other', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    await store.append([entry(0)], 'now');
    await store.append([estimated(1), entry(2), gap(3000, 5000), gap(4000, 5000)], 'now');
    await retimeAll(store, span(2, store.head()));
    for (const reader of [store, await fixture.reopen(store)]) {
      const records = (await reader.read(1, 100)).map(({ record }) => record);
      expect(records[0]).toEqual(sample(0));
      expect(records[1]).toEqual(
        sample(1, { observedAt: 5001 + 500 * HOUR_MS, receivedAt: 5001 + 500 * HOUR_MS, flags: [] }),
      );
      expect(records[2]).toEqual(sample(2));
      expect(records[3]).toMatchObject({ from: 3000, to: 5000 + 500 * HOUR_MS });
      expect(records[4]).toMatchObject({ from: 4000 + 500 * HOUR_MS, to: 5000 + 500 * HOUR_MS });
    }
  });

  it('goes on after a kill where it stopped: nothing is re-timed twice, nothing is left out', async () => {
    const fixture = await StoreFixture.create(driver);
    let store = await fixture.open();
    for (let index = 0; index < 150; index += 1) await store.append([estimated(index), gap(5000, 5001)], 'now');
    const of = span(1, store.head());
    const half = await store.retime(of, (id) => String(id));
    expect(half).toBeLessThan(of.toId);
    store = await fixture.reopen(store);
    expect(await store.clockState()).toBe(String(half));
    await retimeAll(store, { ...of, fromId: half });
    const records = (await all(store)).map(({ record }) => record);
    expect(records).toHaveLength(300);
    expect(records.flatMap((record) => (record.kind === 'gap' ? [record.to - record.from] : []))).toEqual(
      Array.from({ length: 150 }, () => 1),
    );
    expect(records.flatMap((record) => (record.kind === 'sample' ? record.flags : []))).toEqual([]);
    expect((await all(store, { fromMs: 0, toMs: 9001 })).length).toBe(0);
  });

  it('is found by its new time, also where the block lies in a summed up segment', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    for (let index = 0; index < 520; index += 1) await store.append([estimated(index)], 'now');
    await retimeAll(store, span(1, store.head()));
    const fromMs = 4000 + 500 * HOUR_MS;
    expect(await all(store, { fromMs, toMs: fromMs + HOUR_MS })).toHaveLength(520);
  });
});
