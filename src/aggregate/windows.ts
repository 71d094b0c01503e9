import type { Sample } from '../model/record.ts';

type Timed = Pick<Sample, 'observedAt' | 'periodMs'>;

/**
 * Start of the window `[start, start + periodMs)` that a sample belongs to, aligned to UTC midnight (`periodMs` divides a day).
 *
 * `observedAt` is the END of an averaging time: a 1 s level observed at exactly 10:01:00.000 covers 10:00:59 to 10:01:00 and
 * belongs to the minute that ends there. An instantaneous value observed at 10:01:00.000 belongs to the minute that starts there.
 */
export function windowStart(sample: Timed, periodMs: number): number {
  const covered = isAveraged(sample) ? sample.observedAt - 1 : sample.observedAt;
  return Math.floor(covered / periodMs) * periodMs;
}

/**
 * Whether a window of that length can hold the sample. A value averaged over 15 minutes says nothing of one of its minutes:
 * it enters windows of 15 minutes and longer only.
 */
export const fitsWindow = (sample: Timed, periodMs: number): boolean =>
  sample.periodMs === null || sample.periodMs <= periodMs;

/** Part of the log, by `observedAt`, in which every sample of a window lies (and some of its neighbours). */
export const observedRange = (start: number, periodMs: number): { readonly fromMs: number; readonly toMs: number } => ({
  fromMs: start,
  toMs: start + periodMs + 1,
});

/** How long after its end a window waits for samples that are on their way to the disk: two commits and 2 s. */
export const latenessFor = (commitIntervalMs: number): number => 2 * commitIntervalMs + 2000;

const isAveraged = (sample: Timed): boolean => sample.periodMs !== null && sample.periodMs > 0;
