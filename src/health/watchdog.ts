import { every, type Clock, type Timer } from '../runtime/clock.ts';
import type { Service } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';

/** Tells whether one stage gets on with its work. What it waits for outside (a broker, a port, a disk) is no lack of progress. */
export interface Probe {
  /** Stable word for the log. */
  readonly name: string;
  isProgressing(nowMonotonicMs: number): boolean;
}

export interface WatchdogOptions {
  readonly probes: readonly Probe[];
  /** How often the probes are asked. */
  readonly periodMs: number;
  /** Told after each round in which every probe was content. */
  readonly feed: () => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Feeds the service manager's watchdog only while every stage makes progress: when one hangs, the process is started anew. */
export class Watchdog implements Service {
  readonly #options: WatchdogOptions;
  #timer: Timer | undefined;
  #stalled = '';

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  start(): Promise<void> {
    this.#timer ??= every(this.#options.clock, this.#options.periodMs, () => this.#look());
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    return Promise.resolve();
  }

  #look(): void {
    const { probes, clock, metrics, feed } = this.#options;
    const nowMs = clock.monotonicMs();
    // Every probe is asked each time: they keep account of what they saw.
    const stalled = probes.filter((probe) => !probe.isProgressing(nowMs)).map(({ name }) => name);
    for (const probe of stalled)
      metrics.count('cigale_watchdog_stalls_total', 'Rounds in which a stage made no progress.', { probe });
    this.#report(stalled.join(', '));
    if (stalled.length === 0) feed();
  }

  /** Logs a change, not each round. */
  #report(stalled: string): void {
    if (stalled === this.#stalled) return;
    this.#stalled = stalled;
    const { log } = this.#options;
    if (stalled === '') log.info({}, 'every stage makes progress again');
    else log.error({ stalled }, 'a stage makes no progress: the watchdog is not fed');
  }
}
