import { describe, expect, it } from 'vitest';
import { loopLagProbe, stillnessProbe } from '../../src/health/probes.ts';
import { Watchdog, type Probe } from '../../src/health/watchdog.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { memoryLog } from '../fakes/silent-log.ts';

function watchdog(probes: readonly Probe[]) {
  const clock = new ManualClock();
  const log = memoryLog();
  const metrics = new Metrics();
  const fed: number[] = [];
  const feed = (): void => void fed.push(clock.monotonicMs());
  return { clock, log, metrics, fed, dog: new Watchdog({ probes, periodMs: 20_000, feed, clock, log, metrics }) };
}

const switchable = (name: string): Probe & { isWell: boolean } => ({
  name,
  isWell: true,
  isProgressing() {
    return this.isWell;
  },
});

describe('the watchdog', () => {
  it('is fed once a period while every probe is content', async () => {
    const { dog, clock, fed } = watchdog([switchable('store'), switchable('streams')]);
    await dog.start();
    await clock.advance(60_000);
    expect(fed).toEqual([20_000, 40_000, 60_000]);
  });

  it('is not fed while one stage stands still, says which once, and is fed again when it goes on', async () => {
    const [store, streams] = [switchable('store'), switchable('streams')];
    const { dog, clock, fed, log, metrics } = watchdog([store, streams]);
    await dog.start();
    await clock.advance(20_000);
    streams.isWell = false;
    await clock.advance(60_000);
    expect(fed).toEqual([20_000]);
    streams.isWell = true;
    await clock.advance(20_000);
    expect(fed).toEqual([20_000, 100_000]);
    expect(log.lines).toEqual([
      { level: 'error', message: expect.stringContaining('makes no progress'), facts: { stalled: 'streams' } },
      { level: 'info', message: expect.stringContaining('progress again'), facts: {} },
    ]);
    expect(metrics.value('cigale_watchdog_stalls_total', { probe: 'streams' })).toBe(3);
  });

  it('stops, and starting or stopping twice changes nothing', async () => {
    const { dog, clock, fed } = watchdog([]);
    await dog.start();
    await dog.start();
    await clock.advance(20_000);
    await dog.stop();
    await dog.stop();
    await clock.advance(60_000);
    expect(fed).toEqual([20_000]);
  });
});

describe('a stage that has work', () => {
  function stage() {
    const state = { hasWork: false, done: 0 };
    const probe = stillnessProbe({
      name: 'stage',
      maxStillMs: () => 300_000,
      hasWork: () => state.hasWork,
      mark: () => state.done,
    });
    return { state, probe };
  }

  it('is content while there is nothing to do, however long', () => {
    const { probe } = stage();
    expect([0, 1e6, 1e9].map((nowMs) => probe.isProgressing(nowMs))).toEqual([true, true, true]);
  });

  it('is not content once work has waited too long, counted from when it came', () => {
    const { state, probe } = stage();
    probe.isProgressing(1_000_000);
    state.hasWork = true;
    expect(probe.isProgressing(1_300_000)).toBe(true);
    expect(probe.isProgressing(1_300_001)).toBe(false);
  });

  it('is content again as soon as something got done', () => {
    const { state, probe } = stage();
    state.hasWork = true;
    probe.isProgressing(0);
    expect(probe.isProgressing(300_001)).toBe(false);
    state.done += 1;
    expect(probe.isProgressing(400_000)).toBe(true);
    expect(probe.isProgressing(700_001)).toBe(false);
  });
});

describe('the lag of the event loop', () => {
  it('is no fault while beats come in time', async () => {
    const clock = new ManualClock();
    const probe = loopLagProbe(clock, 10_000);
    await clock.advance(60_000);
    expect(probe.isProgressing(clock.monotonicMs())).toBe(true);
  });

  it('is a fault in the round in which a beat came late, and forgotten in the next', async () => {
    const late = { nowMs: 0 };
    const beats: (() => void)[] = [];
    const clock = {
      nowMs: () => 0,
      monotonicMs: () => late.nowMs,
      after: (_delayMs: number, action: () => void) => {
        beats.push(action);
        return { cancel: () => undefined };
      },
    };
    const probe = loopLagProbe(clock, 10_000);
    late.nowMs = 11_001;
    beats.shift()?.();
    expect(probe.isProgressing(11_500)).toBe(false);
    late.nowMs = 12_000;
    beats.shift()?.();
    expect(probe.isProgressing(12_500)).toBe(true);
  });
});
