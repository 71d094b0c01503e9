import { seriesKey } from '../model/ids.ts';
import type { LogEntry } from '../model/record.ts';

/** 1300 sensors with a few quantities each, and room to spare. */
const MAX_SERIES = 20_000;

/** The newest accepted sample of each series since the start, for people who look. */
export class LatestSamples {
  readonly #bySeries = new Map<string, LogEntry>();

  add(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      if (entry.record.kind === 'gap') continue;
      const key = seriesKey(entry.record);
      if (!this.#bySeries.has(key) && this.#bySeries.size >= MAX_SERIES) continue;
      this.#bySeries.set(key, entry);
    }
  }

  list(): readonly LogEntry[] {
    return [...this.#bySeries.values()];
  }
}
