import type { Domain } from '../model/quantity.ts';
import type { Sample } from '../model/record.ts';

/**
 * The time a value stands for, or null when nobody knows. A level stands for its averaging time (where the sensor states
 * none: for the spacing of its series); a temperature or a count stands for the spacing of its series (where nobody
 * states one: for its averaging time).
 */
export function durationOf(sample: Sample, domain: Domain | null): number | null {
  const [first, second] =
    domain === 'noise' ? [sample.periodMs, sample.intervalMs] : [sample.intervalMs, sample.periodMs];
  return positive(first) ?? positive(second);
}

const positive = (ms: number | null): number | null => (ms !== null && ms > 0 ? ms : null);

/** Covered part of a window: the sum of what its values stand for. */
export class Coverage {
  #coveredMs = 0;
  #unknown = false;

  add(durationMs: number | null): void {
    if (durationMs === null) this.#unknown = true;
    else this.#coveredMs += durationMs;
  }

  /** 0..1 of a window of that length; null when a value entered whose duration nobody knows. */
  share(windowMs: number): number | null {
    return this.#unknown ? null : Math.min(1, this.#coveredMs / windowMs);
  }

  state(): string {
    return this.#unknown ? '?' : String(this.#coveredMs);
  }
}
