import type { Clock } from '../runtime/clock.ts';

/** Being late by less than this is made good, so that slow timers and commits do not lower the rate; idle time is not. */
const MAX_CREDIT_MS = 1000;

/**
 * A rate that holds on average: one may spend while nothing is owed, and a large amount is paid off before the next.
 * So a batch larger than one second's allowance can go, and the rate is still kept.
 */
export class TokenBucket {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #perSecond: number;
  #freeFromMs = -Infinity;

  constructor(clock: Pick<Clock, 'monotonicMs'>, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
  }

  /** Milliseconds until one may spend; 0: now. */
  waitMs(): number {
    return Math.max(0, Math.ceil(this.#freeFromMs - this.#clock.monotonicMs()));
  }

  spend(amount: number): void {
    const nowMs = this.#clock.monotonicMs();
    const from = nowMs - this.#freeFromMs <= MAX_CREDIT_MS ? this.#freeFromMs : nowMs;
    this.#freeFromMs = from + (amount / this.#perSecond) * 1000;
  }
}
