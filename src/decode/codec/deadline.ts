/**
 * CPU time a call may take. It is counted in this thread's own CPU time, so that a call does not fail because the machine
 * was busy elsewhere, and from the engine's first interrupt check on: a short call never asks for the time.
 */
export class Deadline {
  readonly #limitMicros: number;
  readonly #cpuMicros: () => number;
  #startMicros: number | null = null;
  #wasOver = false;

  constructor(limitMs: number, cpuMicros: () => number) {
    this.#limitMicros = limitMs * 1000;
    this.#cpuMicros = cpuMicros;
  }

  restart(): void {
    this.#startMicros = null;
    this.#wasOver = false;
  }

  isOver(): boolean {
    const nowMicros = this.#cpuMicros();
    this.#startMicros ??= nowMicros;
    this.#wasOver = nowMicros - this.#startMicros > this.#limitMicros;
    return this.#wasOver;
  }

  /** Whether the last call was ended for its time. */
  get wasOver(): boolean {
    return this.#wasOver;
  }
}
