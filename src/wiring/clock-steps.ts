import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';

const LOG_INTERVAL_MS = 30_000;

/** Counts the steps of the system's clock; says the first at once, and then at most one in 30 s. */
export class ClockSteps {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #metrics: Metrics;
  #loggedMs = Number.NEGATIVE_INFINITY;
  count = 0;

  constructor(clock: Clock, log: Log, metrics: Metrics) {
    this.#clock = clock;
    this.#log = log;
    this.#metrics = metrics;
  }

  note(byMs: number, isFollowed: boolean): void {
    this.count += 1;
    this.#metrics.count('cigale_clock_steps_total', "Times that the system's clock was moved.");
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#loggedMs < LOG_INTERVAL_MS) return;
    this.#loggedMs = nowMs;
    this.#log.warn({ byMs, isFollowed, steps: this.count }, "the system's clock was moved");
  }
}
