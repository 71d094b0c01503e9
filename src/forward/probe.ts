import { Backoff } from '../runtime/retry.ts';

const FIRST_MS = 1000;
/** Two probes fit into a minute: the oldest batch may have a fault of its own, and the next one shows that the broker is well. */
const MAX_MS = 30_000;

/**
 * Tries a stream of which the broker takes nothing: one batch at a time, with growing delays, the oldest and another
 * one in turn. It does not matter how many batches wait: a broker is asked as often for one as for eight.
 */
export class Probe {
  readonly #backoff: Backoff;
  #dueMs = -Infinity;
  /** Refusals since something passed. */
  #refusals = 0;

  constructor(random: () => number) {
    this.#backoff = new Backoff({ firstMs: FIRST_MS, maxMs: MAX_MS, jitter: 0.5, random });
  }

  /** Monotonic instant of the next try. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** The batch to try now, of those that wait, oldest first. */
  next<Waiting>(waiting: readonly Waiting[], nowMs: number): Waiting | undefined {
    if (this.#dueMs > nowMs || waiting.length === 0) return undefined;
    const others = waiting.length - 1;
    const isOldest = this.#refusals % 2 === 1 || others === 0;
    return waiting[isOldest ? 0 : 1 + ((this.#refusals >> 1) % others)];
  }

  /** A batch was refused, and nothing has passed since. */
  refused(nowMs: number): void {
    if (this.#dueMs > nowMs) return;
    this.#refusals += 1;
    this.#dueMs = nowMs + this.#backoff.nextDelayMs();
  }

  notBefore(atMs: number): void {
    this.#dueMs = Math.max(this.#dueMs, atMs);
  }

  passed(nowMs: number): void {
    this.#refusals = 0;
    this.#dueMs = nowMs;
    this.#backoff.reset();
  }
}
