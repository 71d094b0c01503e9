import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { RecordTime } from './record-time.ts';

/** The seams that every part is given. */
export interface Deps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  /** Without it every time is as the clock says. */
  readonly time?: RecordTime;
}
