import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { DriverName } from './driver.ts';

export interface OpenStoreOptions {
  /** The database is `DIR/cigale.db`; the directory is made when it does not exist. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly random: () => number;
  /** Forces an SQL library; default: `CIGALE_SQLITE_DRIVER`, else sqlite3 where it loads, else node:sqlite. */
  readonly driver?: DriverName;
  /** Called when the running store turns out to be damaged: the process should end, and the next start salvages it. */
  readonly onDamaged?: () => void;
  /** Records from this id on may still be re-timed: they are neither sealed nor thinned. Default: none is. */
  readonly finalBelowId?: () => number;
}
