import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/runtime/errors.ts';
import type { Store } from '../../src/store/store.ts';
import { Acceptance } from '../../src/wiring/acceptance.ts';
import { LiveHub } from '../../src/wiring/live.ts';
import { LoraNetwork } from '../../src/wiring/lora-network.ts';
import { uplink } from '../store/records.ts';
import { StoreFixture } from '../store/store-fixture.ts';

describe('an accepted uplink', () => {
  it('that the full queue did not let complete is completed a minute later, without a restart', async () => {
    const fixture = await StoreFixture.create('sqlite3');
    const store = await fixture.open();
    // Older than a frame waits for its place: it is to be completed, and gives nothing.
    const receivedAt = fixture.clock.nowMs() - 8 * 86_400_000;
    await store.acceptUplink({ ...uplink(1), receivedAt }, 'now');
    let refusals = 1;
    const busy: PropertyDescriptor = {
      value: (...given: Parameters<Store['completeUplink']>) =>
        refusals-- > 0
          ? Promise.reject(new GatewayError('STORE_BACKPRESSURE', 'the write queue is full'))
          : store.completeUplink(...given),
    };
    const refusing = Object.create(store, { completeUplink: busy }) as Store;
    const deps = { clock: fixture.clock, log: fixture.log, metrics: fixture.metrics, random: () => 0.5 };
    const lora = new LoraNetwork(refusing, new Acceptance(refusing, new LiveHub(), deps), deps);
    await lora.start();
    await lora.decodeLeftOver();
    await expect.poll(() => fixture.log.lines.some(({ message }) => message.includes('tried again'))).toBe(true);
    expect(await store.undecodedUplinks()).toHaveLength(1);
    await fixture.clock.advance(60_000);
    await expect
      .poll(async () => {
        await fixture.clock.advance(1000);
        return store.undecodedUplinks();
      })
      .toEqual([]);
    await lora.stop();
  });
});
