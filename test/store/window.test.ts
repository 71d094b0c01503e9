import { describe, expect, it } from 'vitest';
import { DRIVER_NAMES } from '../../src/store/driver.ts';
import { KEEP_WINDOWS_MS } from '../../src/store/window-store.ts';
import { aggregate } from './records.ts';
import { StoreFixture, ids } from './store-fixture.ts';

const START = Date.UTC(2026, 5, 1);
const key = { domain: 'noise', place: 'place-mairie', channel: '', quantity: 'LAeq', periodMs: 60_000, part: '' };
const window = (start: number, fingerprint: string, change = {}) => ({
  aggregate: aggregate(start, change),
  fingerprint,
  to: ['stream:ville' as const],
});

describe.each(DRIVER_NAMES)('written windows on %s', (driver) => {
  it('enter the log with their natural key and the cursor, in one transaction, and survive a restart', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    expect(await store.aggregateCursor()).toBe(1);
    const written = store.writeWindows([window(START, 'a'), window(START + 60_000, '007')], 42);
    await fixture.clock.advance(1000);
    expect(ids(await written)).toEqual([1, 2]);
    const reopened = await fixture.reopen(store);
    expect(await reopened.aggregateCursor()).toBe(42);
    expect(await reopened.findWindow(key, START)).toEqual({ start: START, revision: 0, fingerprint: 'a' });
    expect(await reopened.findWindow(key, START + 60_000)).toEqual({
      start: START + 60_000,
      revision: 0,
      fingerprint: '007',
    });
    expect((await reopened.read(1, 10)).map(({ to }) => to)).toEqual([['stream:ville'], ['stream:ville']]);
  });

  it('are told apart by every part of the key', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    const written = store.writeWindows([window(START, 'a')], 2);
    await fixture.clock.advance(1000);
    await written;
    for (const change of [
      { domain: 'heat' },
      { place: 'x' },
      { channel: 'x' },
      { quantity: 'x' },
      { periodMs: 900_000 },
      { part: 'day' },
    ]) {
      expect(await store.findWindow({ ...key, ...change }, START)).toBeUndefined();
    }
    expect(await store.findWindow(key, START + 1)).toBeUndefined();
  });

  it('keep the last revision of a window, also when the series was new in the commit before', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    const first = store.writeWindows([window(START, 'a')], 2);
    const second = store.writeWindows([window(START, 'b', { revision: 1 })], 3);
    const moved = store.writeWindows([], 4);
    await fixture.clock.advance(1000);
    await Promise.all([first, second, moved]);
    const reopened = await fixture.reopen(store);
    expect(await reopened.findWindow(key, START)).toEqual({ start: START, revision: 1, fingerprint: 'b' });
    expect(await reopened.aggregateCursor()).toBe(4);
  });

  it('are forgotten after 400 days', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    const old = fixture.clock.nowMs() - KEEP_WINDOWS_MS - 1;
    const many = Array.from({ length: 2500 }, (_, index) => window(old - index * 60_000, 'f'));
    const written = store.writeWindows([...many, window(old + 7_200_000, 'kept')], 2);
    await fixture.clock.advance(1000);
    await written;
    expect(await store.findWindow(key, old - 60_000)).toBeDefined();
    await fixture.clock.advance(3_600_000);
    const reopened = await fixture.reopen(store);
    expect(await reopened.findWindow(key, old)).toBeUndefined();
    expect(await reopened.findWindow(key, old - 2499 * 60_000)).toBeUndefined();
    expect(await reopened.findWindow(key, old + 7_200_000)).toBeDefined();
  });
});
