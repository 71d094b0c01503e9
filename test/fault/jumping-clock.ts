import type { Clock, Timer } from '../../src/runtime/clock.ts';

interface Pending {
  readonly dueMs: number;
  readonly action: () => void;
}

/** A clock that jumps: what fell due on the way is called once, after the jump, so that months pass in minutes. */
export class JumpingClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;
  readonly #pending = new Set<Pending>();

  constructor(startMs: number) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }

  after(delayMs: number, action: () => void): Timer {
    const timer: Pending = { dueMs: this.#nowMs + Math.max(0, delayMs), action };
    this.#pending.add(timer);
    return { cancel: () => this.#pending.delete(timer) };
  }

  async jump(ms: number): Promise<void> {
    this.#nowMs += ms;
    const due = [...this.#pending].filter(({ dueMs }) => dueMs <= this.#nowMs);
    for (const timer of due.toSorted((a, b) => a.dueMs - b.dueMs)) {
      if (this.#pending.delete(timer)) timer.action();
    }
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
}
