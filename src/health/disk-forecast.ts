const DAY_MS = 86_400_000;
/** One mark in this long is kept, for a day: at most 145 of them. */
const MARK_INTERVAL_MS = 600_000;
/** Growth over less than this is not extrapolated. */
const LEAST_OBSERVED_MS = 600_000;

interface Mark {
  readonly atMs: number;
  readonly bytes: number;
}

/** How fast the store grows, from its size over the last day of this run; and so how long the room lasts. */
export class DiskForecast {
  #marks: Mark[] = [];

  /** Notes the store's size at a monotonic instant, in milliseconds; sizes noted too soon after the last are passed over. */
  observe(bytes: number, atMs: number): void {
    const last = this.#marks.at(-1);
    if (last !== undefined && atMs - last.atMs < MARK_INTERVAL_MS) return;
    this.#marks.push({ atMs, bytes });
    const oldestMs = atMs - DAY_MS;
    this.#marks = this.#marks.filter((mark) => mark.atMs >= oldestMs);
  }

  /** Bytes a day; negative while the store shrinks, null before it was observed for ten minutes. */
  growthPerDay(bytes: number, atMs: number): number | null {
    const first = this.#marks[0];
    if (first === undefined || atMs - first.atMs < LEAST_OBSERVED_MS) return null;
    return ((bytes - first.bytes) / (atMs - first.atMs)) * DAY_MS;
  }
}

/** Days that the room lasts; null where the growth is not known or the store does not grow. */
export const daysLeft = (roomBytes: number, growthPerDay: number | null): number | null =>
  growthPerDay === null || growthPerDay <= 0 ? null : Math.max(0, roomBytes) / growthPerDay;
