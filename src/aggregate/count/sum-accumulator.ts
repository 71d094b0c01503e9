import type { Entering, MergeableAccumulator, Outcome } from '../accumulator.ts';

/** Passages: the sum of what was counted. Without any counted time it is null: not counted is not zero. */
export class SumAccumulator implements MergeableAccumulator<SumAccumulator> {
  #count = 0;
  #sum = 0;

  get count(): number {
    return this.#count;
  }

  add({ value }: Entering): void {
    this.#count += 1;
    this.#sum += value;
  }

  merge(other: SumAccumulator): void {
    this.#count += other.#count;
    this.#sum += other.#sum;
  }

  outcome(): Outcome {
    return { values: { sum: this.#count === 0 ? null : this.#sum }, at: {} };
  }

  state(): string {
    return String(this.#sum);
  }
}
