import { describe, expect, it, onTestFinished } from 'vitest';
import type { Measurement } from '../../src/model/record.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { Timeline } from '../../src/runtime/timeline.ts';
import type { Store } from '../../src/store/store.ts';
import { LONGEST_HOLD_MS } from '../../src/wiring/hold-checkpoints.ts';
import { Timekeeper, type TimekeeperParts } from '../../src/wiring/timekeeper.ts';
import { until } from '../e2e/running-gateway.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { sample, uplink } from '../store/records.ts';
import { StoreFixture, all } from '../store/store-fixture.ts';

const NOW = Date.UTC(2026, 10, 23, 12);
const HOUR_MS = 3_600_000;

/** A machine that is switched on: its clock stands at `startAt`, its monotonic time at zero. */
class Machine {
  readonly clock: ManualClock;
  readonly store: Store;
  service: boolean | null = null;
  boot = 'boot-1';
  mode: TimekeeperParts['mode'] = 'auto';
  #next = 0;

  constructor(store: Store, startAt: number) {
    this.store = store;
    this.clock = new ManualClock(startAt);
  }

  static async on(startAt: number, fixture?: StoreFixture): Promise<Machine> {
    const own = fixture ?? (await StoreFixture.create('node:sqlite'));
    return new Machine(await own.open(), startAt);
  }

  async keeper(): Promise<{ time: Timekeeper; line: Timeline }> {
    const line = new Timeline(this.clock);
    const { store, mode, boot: bootId } = this;
    const synchronized = (): Promise<boolean | null> => Promise.resolve(this.service);
    const seams = { log: memoryLog(), metrics: new Metrics() };
    const time = new Timekeeper({ store, timeline: line, mode, bootId, synchronized, ...seams });
    await time.start();
    onTestFinished(() => time.stop());
    return { time, line };
  }

  /** A sample of now is taken in; the number of it. */
  async take({ time, line }: { time: Timekeeper; line: Timeline }): Promise<void> {
    const at = line.nowMs();
    const taken: Measurement = time.stamp(sample(0, { observedAt: at, receivedAt: at, value: (this.#next += 1) }));
    await this.store.append([{ record: { kind: 'sample', revision: 0, ...taken }, to: ['stream:ville'] }], 'now');
  }

  async samples(): Promise<{ value: number | null; observedAt: number; flags: readonly string[] }[]> {
    return (await all(this.store)).map(({ record }) => {
      if (record.kind !== 'sample') throw new Error('only samples are taken');
      const { value, observedAt, flags } = record;
      return { value, observedAt, flags };
    });
  }
}

/** Until nothing waits for the clock. */
const released = ({ time }: { time: Timekeeper }): Promise<void> =>
  until('records are released', () => time.hold.held === 0);

describe('a gateway without a time service', () => {
  it('trusts a plausible clock, and holds nothing', async () => {
    const machine = await Machine.on(NOW);
    const { time, line } = await machine.keeper();
    await machine.take({ time, line });
    expect(await time.status()).toMatchObject({ quality: 'set', source: 'system', heldRecords: 0, synchronized: null });
    expect(await machine.samples()).toEqual([{ value: 1, observedAt: NOW, flags: [] }]);
  });

  it('follows a step to a time that can be the present, and no other', async () => {
    const machine = await Machine.on(NOW);
    const { line, time } = await machine.keeper();
    machine.clock.step(-HOUR_MS);
    expect(line.nowMs()).toBe(NOW - HOUR_MS);
    for (const byMs of [56 * 366 * 24 * HOUR_MS, -5 * 366 * 24 * HOUR_MS]) {
      machine.clock.step(byMs);
      expect(line.nowMs()).toBe(NOW - HOUR_MS);
      machine.clock.step(-byMs);
      expect(line.nowMs()).toBe(NOW - HOUR_MS);
    }
    expect((await time.status()).steps).toBe(5);
  });

  it('does not believe a clock that stands before the last record', async () => {
    const machine = await Machine.on(NOW - HOUR_MS);
    await machine.store.append([{ record: sample(0, { observedAt: NOW, receivedAt: NOW }), to: [] }], 'now');
    const { line, time } = await machine.keeper();
    expect(await time.status()).toMatchObject({ quality: 'estimated', source: 'none' });
    expect(line.nowMs()).toBe(NOW + 1);
  });
});

describe('a clock that was set back and believed', () => {
  it('is believed at the next boot too, though the last record lies in its future', async () => {
    const machine = await Machine.on(NOW - HOUR_MS);
    await machine.store.append([{ record: sample(0, { observedAt: NOW, receivedAt: NOW }), to: [] }], 'now');
    machine.store.drain();
    await machine.store.saveAliveAt(NOW - HOUR_MS - 60_000);
    const { time } = await machine.keeper();
    expect(await time.status()).toMatchObject({ quality: 'set', source: 'system' });
  });
});

describe('a gateway that starts in 1970', () => {
  it('holds what it takes in, and gives it its time when the phone sets the clock', async () => {
    const machine = await Machine.on(0);
    const own = await machine.keeper();
    await machine.take(own);
    await machine.clock.advance(90_000);
    await machine.take(own);
    expect(await machine.samples()).toEqual([
      { value: 1, observedAt: 0, flags: ['clock-estimated'] },
      { value: 2, observedAt: 90_000, flags: ['clock-estimated'] },
    ]);
    expect(own.time.hold.released.head()).toBe(1);
    let told = 0;
    own.time.onSet(() => (told += 1));
    await own.time.setByPhone(NOW);
    await released(own);
    await machine.take(own);
    expect(await machine.samples()).toEqual([
      { value: 1, observedAt: NOW - 90_000, flags: [] },
      { value: 2, observedAt: NOW, flags: [] },
      { value: 3, observedAt: NOW, flags: [] },
    ]);
    expect(told).toBe(1);
    expect(await own.time.status()).toMatchObject({ quality: 'set', source: 'phone', heldRecords: 0 });
  });

  it('gives what was received before and is decoded after its time too', async () => {
    const machine = await Machine.on(0);
    const { time, line } = await machine.keeper();
    const at = line.nowMs();
    await machine.clock.advance(1000);
    await time.setByPhone(NOW);
    expect(time.settled(at)).toBe(NOW - 1000);
    expect(time.stamp(sample(0, { observedAt: at, receivedAt: at }))).toMatchObject({
      observedAt: NOW - 1000,
      flags: [],
    });
  });

  it('is set by the time service once that says so, not by the step that comes before', async () => {
    const machine = await Machine.on(0);
    machine.service = false;
    const { time, line } = await machine.keeper();
    machine.clock.step(NOW);
    await machine.clock.advance(2000);
    expect(line.quality).toBe('estimated');
    machine.service = true;
    await machine.clock.advance(2000);
    expect(await time.status()).toMatchObject({ quality: 'set', source: 'time-service' });
    expect(line.nowMs()).toBe(NOW + 4000);
  });

  it('is set by a step to a plausible time where no time service is known', async () => {
    const machine = await Machine.on(0);
    const own = await machine.keeper();
    await machine.take(own);
    machine.clock.step(NOW);
    await machine.clock.advance(250);
    await released(own);
    expect(await machine.samples()).toEqual([{ value: 1, observedAt: NOW, flags: [] }]);
  });

  it('is set by the GPS time of an accepted frame', async () => {
    const machine = await Machine.on(0);
    machine.service = false;
    const { time, line } = await machine.keeper();
    await machine.clock.advance(5000);
    const { reception } = uplink(1);
    time.heard(uplink(1, { receivedAt: line.nowMs() - 300, reception: { ...reception, gpsAt: NOW } }));
    expect(line.nowMs()).toBe(NOW + 300);
    expect(await time.status()).toMatchObject({ quality: 'set', source: 'gps' });
  });

  it('goes on with the same line when the process is started again in the same boot', async () => {
    const machine = await Machine.on(0);
    const first = await machine.keeper();
    await machine.take(first);
    await first.time.stop();
    await machine.clock.advance(10_000);
    const second = await machine.keeper();
    await machine.take(second);
    expect((await machine.samples()).map(({ observedAt }) => observedAt)).toEqual([0, 10_000]);
    await second.time.setByPhone(NOW);
    await released(second);
    expect((await machine.samples()).map(({ observedAt }) => observedAt)).toEqual([NOW - 10_000, NOW]);
  });

  it('lets samples of a boot that nobody set go with their flag, and says from when to when', async () => {
    const machine = await Machine.on(0);
    const first = await machine.keeper();
    await machine.clock.advance(1000);
    await machine.take(first);
    await first.time.stop();
    machine.boot = 'boot-2';
    machine.clock.step(NOW);
    const second = await machine.keeper();
    expect(second.time.unknown).toEqual({ startAt: 0, endAt: 1000 });
    const late = second.time.stamp(sample(0, { observedAt: 900, receivedAt: 900 }));
    expect(late).toMatchObject({ observedAt: 900, flags: ['clock-estimated'] });
    expect(second.time.hold.held).toBe(0);
    expect(await machine.samples()).toEqual([{ value: 1, observedAt: 1000, flags: ['clock-estimated'] }]);
  });

  it('lets samples go that have waited for a day', async () => {
    const machine = await Machine.on(0);
    const own = await machine.keeper();
    await machine.take(own);
    await machine.clock.advance(HOUR_MS);
    await machine.take(own);
    await machine.clock.advance(LONGEST_HOLD_MS - HOUR_MS / 2);
    expect([own.time.hold.released.head(), own.time.hold.held]).toEqual([2, 1]);
  });

  it('trusts its clock where CIGALE_CLOCK says so, and then refuses the phone', async () => {
    const machine = await Machine.on(0);
    machine.mode = 'trust';
    const { time } = await machine.keeper();
    expect(await time.status()).toMatchObject({ quality: 'set', source: 'system' });
    await expect(time.setByPhone(NOW)).rejects.toMatchObject({ code: 'CLOCK_ALREADY_SET' });
  });
});

describe('the phone', () => {
  it('cannot set an impossible time, nor a clock that a time service keeps', async () => {
    const machine = await Machine.on(NOW);
    machine.service = true;
    const { time } = await machine.keeper();
    await expect(time.setByPhone(0)).rejects.toMatchObject({ code: 'API_BAD_REQUEST' });
    await expect(time.setByPhone(NOW)).rejects.toMatchObject({ code: 'CLOCK_ALREADY_SET' });
  });

  it('keeps the line through a restart in the same boot, until a time service speaks', async () => {
    const machine = await Machine.on(NOW);
    const first = await machine.keeper();
    await first.time.setByPhone(NOW + HOUR_MS);
    await first.time.stop();
    const second = await machine.keeper();
    expect(second.line.nowMs()).toBe(NOW + HOUR_MS);
    machine.service = true;
    await machine.clock.advance(11_000);
    expect(second.line.nowMs()).toBe(NOW + 11_000);
  });
});
