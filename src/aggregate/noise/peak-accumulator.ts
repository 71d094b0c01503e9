import type { Entering, MergeableAccumulator, Outcome } from '../accumulator.ts';
import { Extreme } from '../extreme.ts';

/**
 * Levels that the sensor took as a maximum or a peak (LAFmax, LCpeak): the maximum of maxima, with its instant.
 * They cannot be derived from any Leq, and no mean of them means anything.
 */
export class PeakAccumulator implements MergeableAccumulator<PeakAccumulator> {
  readonly #quantity: string;
  readonly #max = new Extreme('max');
  #count = 0;

  constructor(quantity: string) {
    this.#quantity = quantity;
  }

  get count(): number {
    return this.#count;
  }

  add({ value, observedAt }: Entering): void {
    this.#count += 1;
    this.#max.add(value, observedAt);
  }

  merge(other: PeakAccumulator): void {
    this.#count += other.#count;
    this.#max.merge(other.#max);
  }

  outcome(): Outcome {
    const at = this.#max.value === null ? {} : { [this.#quantity]: this.#max.at };
    return { values: { [this.#quantity]: this.#max.value }, at };
  }

  state(): string {
    return this.#max.state();
  }
}
