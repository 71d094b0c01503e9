import type { Measurement } from '../model/record.ts';
import type { FormerLine } from './clock-state.ts';

const isOf = ({ startAt, endAt }: FormerLine, at: number): boolean => at >= startAt && at <= endAt;

/** The instant in the line of time as it stands now, of one that may have been taken on the line before it. */
export function settledAt(at: number, former: FormerLine | null, nowAt: number): number {
  if (former === null || former.deltaMs === null || !isOf(former, at)) return at;
  // A line that was ahead held instants that come once more: only those still to come are surely of it.
  return former.deltaMs > 0 || at > nowAt ? at + former.deltaMs : at;
}

/** Whether the gateway gave the sample its time; a time that came with it is not ours to judge. */
const isOurs = ({ observedAt, receivedAt }: Measurement): boolean => observedAt === receivedAt;

export const markEstimated = (measurement: Measurement): Measurement =>
  isOurs(measurement) ? { ...measurement, flags: [...measurement.flags, 'clock-estimated'] } : measurement;

export function settle(measurement: Measurement, former: FormerLine, nowAt: number): Measurement {
  const { receivedAt, observedAt } = measurement;
  if (former.deltaMs === null && isOf(former, receivedAt)) return markEstimated(measurement);
  const at = settledAt(receivedAt, former, nowAt);
  if (at === receivedAt) return measurement;
  return { ...measurement, receivedAt: at, observedAt: isOurs(measurement) ? at : observedAt };
}
