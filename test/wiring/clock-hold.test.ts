import { expect, it, onTestFinished } from 'vitest';
import type { LogEntry } from '../../src/model/record.ts';
import type { Store } from '../../src/store/store.ts';
import { ClockHold } from '../../src/wiring/clock-hold.ts';
import { until } from '../e2e/running-gateway.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { entry } from '../store/records.ts';
import { StoreFixture, all, ids } from '../store/store-fixture.ts';

async function holding(heldFrom: number): Promise<{ store: Store; hold: ClockHold; announced: number[] }> {
  const fixture = await StoreFixture.create('node:sqlite');
  const store = await fixture.open();
  await store.append([entry(0), entry(1)], 'now');
  const hold = new ClockHold(store, memoryLog(), heldFrom);
  onTestFinished(() => hold.stop());
  const announced: number[] = [];
  hold.released.onCommitted((entries: readonly LogEntry[]) => void announced.push(...ids(entries)));
  return { store, hold, announced };
}

it('ends the log before the first record that is held, for those who send and aggregate', async () => {
  const { store, hold, announced } = await holding(3);
  await store.append([entry(2), entry(3)], 'now');
  expect([store.head(), hold.released.head(), hold.held]).toEqual([5, 3, 2]);
  expect(ids(await hold.released.read(1, 100))).toEqual([1, 2]);
  expect(ids(await all(hold.released))).toEqual([1, 2]);
  expect(announced).toEqual([]);
});

it('announces what is released once, in order and without gap, and what comes meanwhile after it', async () => {
  const { store, hold, announced } = await holding(3);
  for (let index = 2; index < 12; index += 1) await store.append([entry(index)], 'now');
  hold.releaseTo(6);
  await until('3 are announced', () => announced.length === 3);
  expect(announced).toEqual([3, 4, 5]);
  hold.releaseTo(Number.POSITIVE_INFINITY);
  const more = store.append([entry(12)], 'now');
  await more;
  await until('11 are announced', () => announced.length === 11);
  await store.append([entry(13)], 'now');
  expect(announced).toEqual(Array.from({ length: 12 }, (_, index) => index + 3));
  expect(hold.held).toBe(0);
});
