interface Segment {
  /** Monotonic instant since when it holds. */
  readonly fromMs: number;
  /** True UTC minus monotonic time; null until it is known. */
  offsetMs: number | null;
}

/** What moves the clock is seen by the gateway within this long; until then its line is the one before. */
const SEEN_WITHIN_MS = 400;

/** What the time of each numbered line must be, once everything is known. */
export class ClockTruth {
  readonly #segments: Segment[] = [];
  readonly #sentMs = new Map<number, number>();

  /** From now on the gateway's line has that offset; null: the one that the next known segment has. */
  begin(offsetMs: number | null): void {
    this.#segments.push({ fromMs: performance.now(), offsetMs });
    if (offsetMs !== null) for (const segment of this.#segments) segment.offsetMs ??= offsetMs;
  }

  sent(number: number): void {
    this.#sentMs.set(number, performance.now());
  }

  get numbers(): ReadonlyMap<number, number> {
    return this.#sentMs;
  }

  /** By how much a line was observed after it was sent; NaN for one that was never sent. */
  lagMs(number: number, observedAt: number): number {
    const sentMs = this.#sentMs.get(number);
    if (sentMs === undefined) return Number.NaN;
    const index = this.#segments.findLastIndex(({ fromMs }) => fromMs <= sentMs);
    const lags = [this.#segments[index], this.#segments[index - 1], this.#segments[index + 1]]
      .filter((segment, place) => segment !== undefined && (place === 0 || this.#isNear(sentMs, index, place)))
      .map((segment) => observedAt - sentMs - (segment?.offsetMs ?? Number.NaN));
    return lags.reduce((best, lag) => (Math.abs(lag) < Math.abs(best) ? lag : best));
  }

  /** Near a border either side of it is right. */
  #isNear(sentMs: number, index: number, place: number): boolean {
    const border = this.#segments[place === 1 ? index : index + 1]?.fromMs ?? Number.POSITIVE_INFINITY;
    return Math.abs(sentMs - border) < SEEN_WITHIN_MS;
  }
}
