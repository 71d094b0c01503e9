import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Driver } from './driver.ts';
import type { EntryPlanner } from './entry-planner.ts';
import type { QueueLimits } from './pending-writes.ts';

export interface CommitQueueParts {
  readonly driver: Driver;
  readonly planner: EntryPlanner;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly random: () => number;
  readonly limits?: QueueLimits;
  /** Opens the file again after a fault of the disk; never rejects. */
  readonly reopen?: () => Promise<void>;
  /** Runs a write that may use what the disk limit holds back. */
  readonly withReserve?: <T>(write: () => Promise<T>) => Promise<T>;
}
