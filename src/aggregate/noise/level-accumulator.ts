import type { Entering, MergeableAccumulator, Outcome } from '../accumulator.ts';
import { Extreme } from '../extreme.ts';
import { LevelHistogram } from './level-histogram.ts';

/** Weight of a level whose averaging time nobody knows: all such levels weigh the same. */
const NOMINAL_MS = 1000;

/**
 * Levels in dB over their averaging times: energy and time, never a mean of decibels (ISO 1996-1).
 * LAeq = 10·lg(E/T) with E = Σ t·10^(L/10) and T = Σ t; the sound exposure level is LAeq + 10·lg(T / 1 s).
 */
export class LevelAccumulator implements MergeableAccumulator<LevelAccumulator> {
  readonly #quantity: string;
  readonly #percents: readonly number[];
  readonly #histogram = new LevelHistogram();
  readonly #max = new Extreme('max');
  readonly #min = new Extreme('min');
  #count = 0;
  #energyMs = 0;
  #timeMs = 0;
  /** Averaging time that all values share; null when unknown or mixed. */
  #periodMs: number | null = null;

  /** `quantity` names the values (`LAeq`), `percents` are the N of the LN to publish. */
  constructor(quantity: string, percents: readonly number[]) {
    this.#quantity = quantity;
    this.#percents = percents;
  }

  get count(): number {
    return this.#count;
  }

  /** T, the time that the levels stand for. */
  get timeMs(): number {
    return this.#timeMs;
  }

  /** 10·lg(E/T), full precision; null when nothing was measured. */
  get equivalentLevel(): number | null {
    return this.#timeMs === 0 ? null : 10 * Math.log10(this.#energyMs / this.#timeMs);
  }

  add({ value, observedAt, periodMs, durationMs }: Entering): void {
    const weightMs = durationMs ?? NOMINAL_MS;
    this.#periodMs = this.#count === 0 || this.#periodMs === periodMs ? periodMs : null;
    this.#count += 1;
    this.#energyMs += weightMs * 10 ** (value / 10);
    this.#timeMs += weightMs;
    this.#histogram.add(value, weightMs);
    this.#max.add(value, observedAt);
    this.#min.add(value, observedAt);
  }

  merge(other: LevelAccumulator): void {
    if (other.#count === 0) return;
    this.#periodMs = this.#count === 0 || this.#periodMs === other.#periodMs ? other.#periodMs : null;
    this.#count += other.#count;
    this.#energyMs += other.#energyMs;
    this.#timeMs += other.#timeMs;
    this.#histogram.merge(other.#histogram);
    this.#max.merge(other.#max);
    this.#min.merge(other.#min);
  }

  outcome(): Outcome {
    const weighted = this.#quantity.replace(/eq$/, '');
    const values: Record<string, number | null> = { [this.#quantity]: this.equivalentLevel };
    const at: Record<string, number> = {};
    if (this.#count > 0) {
      const short = this.#quantity + (this.#periodMs === null ? '' : shortPeriod(this.#periodMs));
      values[`${short}Max`] = this.#max.value;
      values[`${short}Min`] = this.#min.value;
      at[`${short}Max`] = this.#max.at;
      at[`${short}Min`] = this.#min.at;
    }
    const levels = this.#histogram.exceeded(this.#percents);
    for (const [index, percent] of this.#percents.entries()) values[`${weighted}${percent}`] = levels[index] ?? null;
    return { values, at };
  }

  state(): string {
    const extremes = `${this.#max.state()} ${this.#min.state()}`;
    return `${this.#energyMs} ${this.#timeMs} ${this.#periodMs} ${extremes} ${this.#histogram.state()}`;
  }
}

/** `1s`, `125ms`, `1m`: as durations are written in flows. */
function shortPeriod(periodMs: number): string {
  for (const [unit, unitMs] of [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const) {
    if (periodMs % unitMs === 0) return `${periodMs / unitMs}${unit}`;
  }
  return `${periodMs}ms`;
}
