import type { Clock } from '../runtime/clock.ts';
import { background } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';

/** What the time service said last, asked one question at a time. */
export class TimeService {
  readonly #synchronized: () => Promise<boolean | null>;
  readonly #clock: Clock;
  readonly #log: Log;
  #askedMs = Number.NEGATIVE_INFINITY;
  #isAsking = false;
  /** Whether it has set the system's clock; null: none that we know runs. */
  last: boolean | null = null;

  constructor(synchronized: () => Promise<boolean | null>, clock: Clock, log: Log) {
    this.#synchronized = synchronized;
    this.#clock = clock;
    this.#log = log;
  }

  async ask(): Promise<boolean | null> {
    this.last = await this.#synchronized();
    return this.last;
  }

  /** Asks when the last answer is older than that, and has `onAnswer` act on the new one. */
  askEvery(periodMs: number, onAnswer: () => Promise<void>): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#isAsking || nowMs - this.#askedMs < periodMs) return;
    this.#askedMs = nowMs;
    this.#isAsking = true;
    const answered = this.ask().then(onAnswer);
    background(
      answered.finally(() => {
        this.#isAsking = false;
      }),
      this.#log,
      'the time service could not be asked',
    );
  }
}
