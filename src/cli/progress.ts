import type { Clock } from '../runtime/clock.ts';

const FIRST_MS = 1000;
const LINE_INTERVAL_MS = 10_000;

/**
 * Says how far a long command is, on standard error, once it takes longer than a second: one line that is rewritten on a
 * terminal, a line now and then where it is piped. Silent where the results themselves go to the terminal.
 */
export class Progress {
  readonly #clock: Clock;
  readonly #isTerminal = process.stderr.isTTY;
  readonly #isSilent = process.stdout.isTTY;
  #nextMs: number;
  #isShown = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#nextMs = clock.monotonicMs() + FIRST_MS;
  }

  show(text: string): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#isSilent || nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + (this.#isTerminal ? FIRST_MS : LINE_INTERVAL_MS);
    process.stderr.write(this.#isTerminal ? `\r\u001B[K${text}` : `${text}\n`);
    this.#isShown = true;
  }

  /** Takes the line away. */
  end(): void {
    if (this.#isShown && this.#isTerminal) process.stderr.write('\r\u001B[K');
  }
}
