/** The greatest (or least) value so far and its instant; of equal values the earliest, so that the order does not matter. */
export class Extreme {
  readonly #sign: 1 | -1;
  #value: number | null = null;
  #at = 0;

  constructor(which: 'max' | 'min') {
    this.#sign = which === 'max' ? 1 : -1;
  }

  get value(): number | null {
    return this.#value;
  }

  /** Instant of `value`; without meaning while that is null. */
  get at(): number {
    return this.#at;
  }

  add(value: number, at: number): void {
    const ahead = this.#value === null ? 1 : (value - this.#value) * this.#sign;
    if (ahead > 0 || (ahead === 0 && at < this.#at)) {
      this.#value = value;
      this.#at = at;
    }
  }

  merge(other: Extreme): void {
    if (other.#value !== null) this.add(other.#value, other.#at);
  }

  state(): string {
    return this.#value === null ? '-' : `${this.#value}@${this.#at}`;
  }
}
