import type { Destination, GapCause } from '../model/record.ts';

/** Places told apart; what is refused beyond them counts for the whole gateway. */
export const MAX_PLACES = 1000;

/** Samples of a place that the store did not take. Monotonic instants of the first and the last refusal. */
export interface RefusedSamples {
  readonly place: string;
  readonly cause: GapCause;
  readonly count: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly destinations: ReadonlySet<Destination>;
}

interface Tally {
  readonly place: string;
  readonly cause: GapCause;
  readonly fromMs: number;
  readonly destinations: Set<Destination>;
  count: number;
  toMs: number;
}

/** Counts what the store refuses, until it takes records again. */
export class Refusals {
  #tallies = new Map<string, Tally>();

  get isEmpty(): boolean {
    return this.#tallies.size === 0;
  }

  add(place: string, cause: GapCause, destinations: Iterable<Destination>, nowMs: number): void {
    const tally = this.#tallyOf(place, cause, nowMs);
    tally.count += 1;
    tally.toMs = nowMs;
    for (const destination of destinations) tally.destinations.add(destination);
  }

  /** What was refused since the last call. */
  take(): readonly RefusedSamples[] {
    const taken = [...this.#tallies.values()];
    this.#tallies = new Map();
    return taken;
  }

  #tallyOf(place: string, cause: GapCause, nowMs: number): Tally {
    const key = `${cause}\u001f${place}`;
    const known = this.#tallies.get(key);
    if (known !== undefined) return known;
    if (this.#tallies.size >= MAX_PLACES && place !== '') return this.#tallyOf('', cause, nowMs);
    const tally: Tally = { place, cause, fromMs: nowMs, destinations: new Set(), count: 0, toMs: nowMs };
    this.#tallies.set(key, tally);
    return tally;
  }
}
