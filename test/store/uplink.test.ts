import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { DRIVER_NAMES } from '../../src/store/driver.ts';
import { KEEP_UPLINKS_MS } from '../../src/store/uplink-store.ts';
import { entry, uplink } from './records.ts';
import { StoreFixture, ids } from './store-fixture.ts';

const HOUR_MS = 3_600_000;

const addDevice = (store: Store, devAddr: string): Promise<void> =>
  store.applyRegistry({
    places: [],
    assignments: [],
    devices: [
      {
        device: {
          id: 'compteur-1',
          model: 'm',
          lorawan: 'abp',
          devEui: '70b3d57ed0000001',
          joinEui: '',
          devAddr,
          relaxedCounter: true,
          codec: '',
          intervalMs: null,
          channels: [],
        },
        keys: { nwkSKey: '11'.repeat(16), appSKey: '22'.repeat(16), appKey: '' },
      },
    ],
  });

const nextCounter = async (store: Store): Promise<number | undefined> => (await store.sessions())[0]?.nextFCntUp;

describe.each(DRIVER_NAMES)('accepted uplinks on %s', (driver) => {
  it('are on disk as they were heard, with the counter of their session', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    await addDevice(store, '26011bda');
    const accepted = await store.acceptUplink(uplink(7), 'now');
    expect(accepted).toEqual({ ...uplink(7), id: 1 });
    const reopened = await fixture.reopen(store);
    expect(await reopened.undecodedUplinks()).toEqual([{ ...uplink(7), id: 1 }]);
    expect(await nextCounter(reopened)).toBe(8);
  });

  it('are stored once: a duplicate is one also while the first waits, and after a restart', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    const [first, second] = await Promise.all([
      store.acceptUplink(uplink(7), 'now'),
      store.acceptUplink({ ...uplink(7), receivedAt: uplink(7).receivedAt + 900 }, 'now'),
    ]);
    expect(first).toMatchObject({ id: 1 });
    expect(second).toBe('duplicate');
    const reopened = await fixture.reopen(store);
    expect(await reopened.acceptUplink(uplink(7), 'now')).toBe('duplicate');
    expect(await reopened.acceptUplink(uplink(8), 'now')).toMatchObject({ id: 2 });
  });

  it('start a new count when the address changes', async () => {
    const store = await (await StoreFixture.create(driver)).open();
    await addDevice(store, '26011bda');
    await store.acceptUplink(uplink(40), 'now');
    await addDevice(store, '26011bdb');
    expect(await nextCounter(store)).toBe(0);
    expect(await store.acceptUplink(uplink(0, { devAddr: '26011bdb' }), 'now')).toMatchObject({ id: 2 });
    expect(await nextCounter(store)).toBe(1);
  });

  it('of a device that counts anew are not taken for duplicates of its earlier count', async () => {
    const store = await (await StoreFixture.create(driver)).open();
    await addDevice(store, '26011bda');
    for (const fCnt of [0, 1, 2]) await store.acceptUplink(uplink(fCnt), 'now');
    const sameCounter = uplink(0, { phyPayload: Uint8Array.of(9, 9, 9, 9, 9) });
    expect(await store.acceptUplink(sameCounter, 'now')).toMatchObject({ id: 4 });
    const sameBytesMuchLater = { ...uplink(1), receivedAt: uplink(1).receivedAt + 2 * HOUR_MS };
    expect(await store.acceptUplink(sameBytesMuchLater, 'now')).toMatchObject({ id: 5 });
    expect(await nextCounter(store)).toBe(2);
  });

  it('are completed exactly once, with their records in the same transaction', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    for (const fCnt of [1, 2, 3]) await store.acceptUplink(uplink(fCnt), 'now');
    const completed = store.completeUplink(1, { entries: [entry(0), entry(1)], result: 'decoded' });
    const again = store.completeUplink(1, { entries: [entry(0), entry(1)], result: 'decoded' });
    const empty = store.completeUplink(3, { entries: [], result: 'no-codec' });
    await fixture.clock.advance(1000);
    expect(ids(await completed)).toEqual([1, 2]);
    expect([await again, await empty]).toEqual([[], []]);
    expect((await store.undecodedUplinks()).map(({ id }) => id)).toEqual([2]);
    const reopened = await fixture.reopen(store);
    expect(await reopened.completeUplink(1, { entries: [entry(0)], result: 'decoded' })).toEqual([]);
    expect((await reopened.undecodedUplinks()).map(({ id }) => id)).toEqual([2]);
    expect(reopened.head()).toBe(3);
  });

  it('are forgotten a week after they were decoded, undecoded ones never, and their numbers are not used again', async () => {
    const fixture = await StoreFixture.create(driver);
    fixture.clock.step(uplink(0).receivedAt - fixture.clock.nowMs());
    const store = await fixture.open();
    for (const fCnt of [0, 1, 2]) await store.acceptUplink(uplink(fCnt), 'now');
    const completed = [1, 3].map((id) => store.completeUplink(id, { entries: [], result: 'decoded' }));
    await fixture.clock.advance(1000);
    await Promise.all(completed);
    fixture.clock.step(KEEP_UPLINKS_MS + HOUR_MS);
    await fixture.clock.advance(HOUR_MS);
    const reopened = await fixture.reopen(store);
    expect((await reopened.undecodedUplinks()).map(({ id }) => id)).toEqual([2]);
    const last = reopened.completeUplink(2, { entries: [], result: 'decoder-error' });
    await fixture.clock.advance(1000);
    await last;
    await fixture.clock.advance(HOUR_MS);
    const emptied = await fixture.reopen(reopened);
    const accepted = await emptied.acceptUplink(uplink(9), 'now');
    expect(accepted).toMatchObject({ id: 4 });
    expect(await (await fixture.reopen(emptied)).undecodedUplinks()).toHaveLength(1);
  });
});
