import type { Destination } from '../model/record.ts';
import type { SeriesWindow } from './series-window.ts';

/** When an entry of the log reaches the windows. */
export interface Moment {
  readonly nowMs: number;
  readonly monotonicMs: number;
  /** The entry was in the log before this process started. */
  readonly replay: boolean;
}

/** A window in memory, with what is needed to know when to close it and from where to rebuild it. */
export interface OpenWindow {
  readonly window: SeriesWindow;
  /** `rule:NODE` of its rule. */
  readonly rule: Destination;
  /** Id of the first entry that it holds: a rebuild must start there. */
  readonly firstId: number;
  /** Where its aggregate goes. */
  to: readonly Destination[];
  /** Its rule is gone: it closes as it is. */
  abandoned: boolean;
  readonly notBeforeMonotonicMs: number;
  readonly latestMonotonicMs: number;
}

/** A day that late samples trickle into is computed again at most this often. */
const LONGEST_SETTLING_MS = 300_000;

/**
 * Bounds, in monotonic time, of when a window closes. A window that opens when its time is over is one that late samples
 * come to: it waits for more of them, in proportion to what computing it again costs. A window stays open no longer than
 * its own length, whatever the wall clock says: after a step backward the wall clock may need a year to reach its end. Closing
 * too early loses nothing, what comes later revises it.
 */
export function closingBounds(
  { end, periodMs }: SeriesWindow,
  { nowMs, monotonicMs, replay }: Moment,
  latenessMs: number,
): Pick<OpenWindow, 'notBeforeMonotonicMs' | 'latestMonotonicMs'> {
  const isLate = !replay && nowMs >= end + latenessMs;
  const settlingMs = Math.max(latenessMs, Math.min(periodMs / 240, LONGEST_SETTLING_MS));
  return {
    notBeforeMonotonicMs: isLate ? monotonicMs + settlingMs : 0,
    latestMonotonicMs: monotonicMs + 1.01 * periodMs + latenessMs,
  };
}

export function isDue(open: OpenWindow, { nowMs, monotonicMs }: Moment, latenessMs: number): boolean {
  if (open.abandoned || monotonicMs >= open.latestMonotonicMs) return true;
  return nowMs >= open.window.end + latenessMs && monotonicMs >= open.notBeforeMonotonicMs;
}
