import type { Clock } from '../runtime/clock.ts';

/** Learnt sizes are tried again after this: the broker's setting may have been corrected. */
const FORGET_AFTER_MS = 3_600_000;
/** What is nearly as large as what was refused is not tried any more. */
const HOPELESS_SHARE = 0.9;

/**
 * What a broker takes that does not announce its limit: half of the smallest size it refused. Without it each batch
 * behind the first would be refused as well before it is split.
 */
export class SizeLimit {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #wireBytes = Infinity;
  #bodyBytes = Infinity;
  #forgetMs = Infinity;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Bound of a new body as it is sent; Infinity while nothing was refused. */
  get wireBytes(): number {
    return this.#refusedWireBytes() / 2;
  }

  /** Bound of a new body before compression; Infinity while nothing was refused. */
  get bodyBytes(): number {
    return this.#clock.monotonicMs() < this.#forgetMs ? this.#bodyBytes / 2 : Infinity;
  }

  /** A sealed body above it is split without being tried. */
  get hopelessBytes(): number {
    return this.#refusedWireBytes() * HOPELESS_SHARE;
  }

  /** A body of these sizes was refused. */
  refused(wireBytes: number, bodyBytes: number): void {
    this.#wireBytes = Math.min(this.#refusedWireBytes(), wireBytes);
    this.#bodyBytes = Math.min(this.bodyBytes * 2, bodyBytes);
    this.#forgetMs = this.#clock.monotonicMs() + FORGET_AFTER_MS;
  }

  /** It was one record, not the size of what it stood in. */
  forget(): void {
    this.#forgetMs = -Infinity;
  }

  #refusedWireBytes(): number {
    return this.#clock.monotonicMs() < this.#forgetMs ? this.#wireBytes : Infinity;
  }
}
