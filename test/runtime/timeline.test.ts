import { describe, expect, it } from 'vitest';
import { every } from '../../src/runtime/clock.ts';
import { Timeline, type ClockStep } from '../../src/runtime/timeline.ts';
import { ManualClock } from '../fakes/manual-clock.ts';

const YEAR_MS = 365.25 * 86_400_000;
const STEPS = [56 * YEAR_MS, -3_600_000, -5 * YEAR_MS, -Date.UTC(2026, 5, 1)] as const;

const watched = (): { clock: ManualClock; line: Timeline; steps: ClockStep[] } => {
  const clock = new ManualClock();
  const line = new Timeline(clock);
  const steps: ClockStep[] = [];
  line.watch((step) => void steps.push(step));
  return { clock, line, steps };
};

describe('the line of time', () => {
  it("follows the system's clock, a slew with it, and calls no slew a step", async () => {
    const { clock, line, steps } = watched();
    for (let second = 0; second < 20; second += 1) {
      await clock.advance(1000);
      clock.step(40);
    }
    expect(line.nowMs()).toBe(clock.nowMs());
    expect(steps).toEqual([]);
  });

  it('announces a step before it gives any time after it, and stays where it was until it is told', () => {
    const { clock, line, steps } = watched();
    const before = line.nowMs();
    clock.step(-3_600_000);
    expect(line.nowMs()).toBe(before);
    expect(steps).toEqual([{ byMs: -3_600_000 }]);
    line.follow();
    expect(line.nowMs()).toBe(before - 3_600_000);
  });

  it('sees a step within 250 ms where nobody asks for the time', async () => {
    const { clock, steps } = watched();
    clock.step(86_400_000);
    await clock.advance(250);
    expect(steps).toEqual([{ byMs: 86_400_000 }]);
  });

  it('runs on by monotonic time from the offset that it is kept to', async () => {
    const { clock, line } = watched();
    line.keepTo(Date.UTC(2030, 0, 1) - clock.monotonicMs(), 'estimated');
    await clock.advance(1500);
    clock.step(-86_400_000);
    expect(line.nowMs()).toBe(Date.UTC(2030, 0, 1) + 1500);
    expect(line.quality).toBe('estimated');
  });

  it.each(STEPS)('freezes, repeats and silences no timer when the clock is moved by %d ms', async (byMs) => {
    const { clock, line } = watched();
    let calls = 0;
    let late = false;
    every(line, 1000, () => (calls += 1));
    line.after(5000, () => (late = true));
    await clock.advance(2500);
    clock.step(byMs);
    await clock.advance(2500);
    expect(calls).toBe(5);
    expect(late).toBe(true);
  });
});
