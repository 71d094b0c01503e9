/**
 * Exact histogram of levels in classes of 0.1 dB, weighted by duration: LN of any union of windows comes from the sum of
 * their histograms (the mean of LNs is not an LN). Sparse: only classes that occurred.
 */
export class LevelHistogram {
  readonly #weights = new Map<number, number>();
  #totalMs = 0;

  add(level: number, durationMs: number): void {
    this.#addTo(Math.floor(10 * level + 0.5), durationMs);
  }

  merge(other: LevelHistogram): void {
    for (const [bin, weightMs] of other.#weights) this.#addTo(bin, weightMs);
  }

  /**
   * For each N of `percents`, the level exceeded N % of the time: walking from the loudest class down, the first at which the
   * accumulated time reaches N %. null when nothing was measured.
   */
  exceeded(percents: readonly number[]): readonly (number | null)[] {
    const descending = [...this.#weights].toSorted(([a], [b]) => b - a);
    return percents.map((percent) => {
      let weightMs = 0;
      for (const [bin, binMs] of descending) {
        weightMs += binMs;
        if (weightMs * 100 >= percent * this.#totalMs) return bin / 10;
      }
      return null;
    });
  }

  state(): string {
    return [...this.#weights]
      .toSorted(([a], [b]) => a - b)
      .map(([bin, weightMs]) => `${bin}:${weightMs}`)
      .join(',');
  }

  #addTo(bin: number, weightMs: number): void {
    this.#weights.set(bin, (this.#weights.get(bin) ?? 0) + weightMs);
    this.#totalMs += weightMs;
  }
}
