import type { Entering, MergeableAccumulator, Outcome } from '../accumulator.ts';
import { Extreme } from '../extreme.ts';

/** Intensive quantities (temperature, humidity, wind): mean, spread and extremes; states merge by Chan's formula. */
export class MeanAccumulator implements MergeableAccumulator<MeanAccumulator> {
  readonly #min = new Extreme('min');
  readonly #max = new Extreme('max');
  #count = 0;
  #mean = 0;
  /** Σ (x − mean)², kept without cancellation. */
  #squares = 0;

  get count(): number {
    return this.#count;
  }

  /** Population variance, in the quantity's unit squared; null when nothing was measured. */
  get variance(): number | null {
    return this.#count === 0 ? null : this.#squares / this.#count;
  }

  add({ value, observedAt }: Entering): void {
    this.#count += 1;
    const delta = value - this.#mean;
    this.#mean += delta / this.#count;
    this.#squares += delta * (value - this.#mean);
    this.#min.add(value, observedAt);
    this.#max.add(value, observedAt);
  }

  merge(other: MeanAccumulator): void {
    if (other.#count === 0) return;
    const count = this.#count + other.#count;
    const delta = other.#mean - this.#mean;
    this.#mean += (delta * other.#count) / count;
    this.#squares += other.#squares + (delta * delta * this.#count * other.#count) / count;
    this.#count = count;
    this.#min.merge(other.#min);
    this.#max.merge(other.#max);
  }

  outcome(): Outcome {
    if (this.#count === 0) return { values: { mean: null, min: null, max: null }, at: {} };
    return {
      values: { mean: this.#mean, min: this.#min.value, max: this.#max.value },
      at: { min: this.#min.at, max: this.#max.at },
    };
  }

  state(): string {
    return `${this.#mean} ${this.#squares} ${this.#min.state()} ${this.#max.state()}`;
  }
}
