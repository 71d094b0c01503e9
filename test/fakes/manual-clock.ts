import type { Clock, Timer } from '../../src/runtime/clock.ts';

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly action: () => void;
}

/** A clock that moves only when told to: timers run in order of their due time. */
export class ManualClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(startMs = Date.UTC(2026, 5, 1)) {
    this.#wallMs = startMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, action: () => void): Timer {
    const timer: Pending = { dueMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, action };
    this.#pending.add(timer);
    return { cancel: () => this.#pending.delete(timer) };
  }

  /** Moves both clocks forward and runs what falls due; lets promises settle between timers. */
  async advance(ms: number): Promise<void> {
    const targetMs = this.#monotonicMs + ms;
    for (;;) {
      await settle();
      const next = [...this.#pending]
        .filter((timer) => timer.dueMs <= targetMs)
        .toSorted((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];
      if (next === undefined) break;
      this.#pending.delete(next);
      this.#move(next.dueMs);
      next.action();
    }
    this.#move(targetMs);
    await settle();
  }

  /** Steps the wall clock alone, as NTP does. */
  step(ms: number): void {
    this.#wallMs += ms;
  }

  #move(monotonicMs: number): void {
    const delta = Math.max(0, monotonicMs - this.#monotonicMs);
    this.#monotonicMs += delta;
    this.#wallMs += delta;
  }
}

/** Lets pending promise callbacks run. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
