import { describe, expect, it } from 'vitest';
import { every, sleep, systemClock } from '../../src/runtime/clock.ts';
import { ManualClock } from '../fakes/manual-clock.ts';

describe('the clock seam', () => {
  it('repeats an action until it is cancelled', async () => {
    const clock = new ManualClock();
    let calls = 0;
    const timer = every(clock, 1000, () => (calls += 1));
    await clock.advance(3500);
    timer.cancel();
    await clock.advance(5000);
    expect(calls).toBe(3);
  });

  it('counts delays in monotonic time: a step of the wall clock moves no timer', async () => {
    const clock = new ManualClock();
    let called = false;
    clock.after(1000, () => (called = true));
    clock.step(86_400_000);
    await clock.advance(999);
    expect(called).toBe(false);
    await clock.advance(1);
    expect(called).toBe(true);
  });

  it('gives whole wall milliseconds and a monotonic time that rises', async () => {
    const before = systemClock.monotonicMs();
    await sleep(systemClock, 2);
    expect(systemClock.monotonicMs()).toBeGreaterThan(before);
    expect(Number.isInteger(systemClock.nowMs())).toBe(true);
  });
});
