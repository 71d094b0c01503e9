import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitsWindow, latenessFor, observedRange, windowStart } from '../../src/aggregate/windows.ts';
import { HOUR, MINUTE, TEN } from './records.ts';

const averaged = (observedAt: number, periodMs = 1000) => ({ observedAt, periodMs });
const instantaneous = (observedAt: number) => ({ observedAt, periodMs: null });

describe('the window of a sample', () => {
  it('is the one that ends at the end of its averaging time', () => {
    expect(windowStart(averaged(TEN + MINUTE), MINUTE)).toBe(TEN);
    expect(windowStart(averaged(TEN + MINUTE + 1), MINUTE)).toBe(TEN + MINUTE);
  });

  it('is the one that starts at the instant of an instantaneous value', () => {
    expect(windowStart(instantaneous(TEN + MINUTE), MINUTE)).toBe(TEN + MINUTE);
    expect(windowStart(instantaneous(TEN + MINUTE - 1), MINUTE)).toBe(TEN);
    expect(windowStart({ observedAt: TEN + MINUTE, periodMs: 0 }, MINUTE)).toBe(TEN + MINUTE);
  });

  it('is aligned to UTC before 1970 too', () => {
    expect(windowStart(instantaneous(-1), HOUR)).toBe(-HOUR);
  });

  it('does not know of summer time: the hours in which clocks in France change are hours like others', () => {
    const spring = Date.UTC(2026, 2, 29, 1);
    const autumn = Date.UTC(2026, 9, 25, 1);
    for (const change of [spring, autumn]) {
      const starts = [-30, 30, 90].map((minutes) => windowStart(instantaneous(change + minutes * MINUTE), HOUR));
      expect(starts).toEqual([change - HOUR, change, change + HOUR]);
    }
  });

  it('cannot be shorter than the averaging time', () => {
    expect(fitsWindow(averaged(TEN, 15 * MINUTE), MINUTE)).toBe(false);
    expect(fitsWindow(averaged(TEN, 15 * MINUTE), 15 * MINUTE)).toBe(true);
    expect(fitsWindow(instantaneous(TEN), 1)).toBe(true);
  });

  it('holds the sample, and lies in the part of the log that is read to compute it again', () => {
    const periods = fc.constantFrom(1000, MINUTE, 15 * MINUTE, HOUR, 24 * HOUR);
    fc.assert(
      fc.property(
        fc.integer({ min: -1e13, max: 1e13 }),
        fc.constantFrom(null, 125, 1000),
        periods,
        (at, own, period) => {
          const timed = { observedAt: at, periodMs: own };
          const start = windowStart(timed, period);
          expect(start % period === 0 && start <= at && at <= start + period).toBe(true);
          const { fromMs, toMs } = observedRange(start, period);
          expect(fromMs <= at && at < toMs).toBe(true);
        },
      ),
    );
  });
});

it('waits for two commits and two seconds', () => {
  expect(latenessFor(1000)).toBe(4000);
});
