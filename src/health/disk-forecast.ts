const DAY_MS = 86_400_000;
/** One mark in this long is kept, for a day: at most 145 of them. */
const MARK_INTERVAL_MS = 600_000;
/** Growth over less than this is not extrapolated. */
const LEAST_OBSERVED_MS = 600_000;

interface Mark {
  readonly atMs: number;
  readonly amount: number;
}

/** How fast an amount (bytes of the store, records taken) grows over the last day of this run. */
export class DiskForecast {
  #marks: Mark[] = [];

  /** Notes the amount at a monotonic instant, in milliseconds; amounts noted too soon after the last are passed over. */
  observe(amount: number, atMs: number): void {
    const last = this.#marks.at(-1);
    if (last !== undefined && atMs - last.atMs < MARK_INTERVAL_MS) return;
    this.#marks.push({ atMs, amount });
    const oldestMs = atMs - DAY_MS;
    this.#marks = this.#marks.filter((mark) => mark.atMs >= oldestMs);
  }

  /** Amount a day; negative while it shrinks, null before it was observed for ten minutes. */
  growthPerDay(amount: number, atMs: number): number | null {
    const first = this.#marks[0];
    if (first === undefined || atMs - first.atMs < LEAST_OBSERVED_MS) return null;
    return ((amount - first.amount) / (atMs - first.atMs)) * DAY_MS;
  }
}

/** Days that the room lasts; null where the growth is not known or the store does not grow. */
export const daysLeft = (roomBytes: number, growthPerDay: number | null): number | null =>
  growthPerDay === null || growthPerDay <= 0 ? null : Math.max(0, roomBytes) / growthPerDay;

export interface OutageRoom {
  /** Room up to where data begins to lose resolution, or to where nothing fits any more. */
  readonly roomBytes: number;
  /** What would give way in it. */
  readonly spareBytes: number;
  readonly recordBytes: number;
  readonly recordsPerDay: number | null;
}

/** Days of outage that fit without loss at that rate; null where the rate is not known or nothing comes. */
export const outageDays = ({ roomBytes, spareBytes, recordBytes, recordsPerDay }: OutageRoom): number | null =>
  daysLeft(roomBytes + spareBytes, recordsPerDay === null ? null : recordsPerDay * recordBytes);
