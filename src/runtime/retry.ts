export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Share of each delay that is random, 0..1, so that gateways do not reconnect in step. */
  readonly jitter: number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

/** Delays between attempts: doubling from `firstMs` to `maxMs`, jittered; `reset` after a success. */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempt = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  get attempt(): number {
    return this.#attempt;
  }

  nextDelayMs(): number {
    const { firstMs, maxMs, jitter, random } = this.#options;
    const full = Math.min(maxMs, firstMs * 2 ** Math.min(this.#attempt, 30));
    this.#attempt += 1;
    return Math.round(full * (1 - jitter + jitter * random()));
  }

  reset(): void {
    this.#attempt = 0;
  }
}
