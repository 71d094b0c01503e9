/** What the gateway keeps and forwards: instants are UTC epoch milliseconds, durations milliseconds. */

export type Quality = 'good' | 'suspect' | 'bad';

/** Published flags; `docs/schema` lists them with their meaning. */
export type Flag =
  | 'out-of-range'
  | 'missing'
  | 'invalid'
  | 'unit-converted'
  | 'clock-estimated'
  | 'coverage-unknown'
  | 'low-coverage'
  | 'late'
  | 'counter-reset'
  | 'thinned'
  | 'injected';

/** A decoded value that has not been accepted yet: it has no id. */
export interface Measurement {
  readonly place: string;
  /** Tells apart directions, classes, heights, a second thermometer; empty for the only one. */
  readonly channel: string;
  readonly device: string;
  /** An id of the catalogue in `quantity.ts`; `unit` is that quantity's unit. */
  readonly quantity: string;
  readonly unit: string;
  /** When the phenomenon was measured: the end of the averaging time where there is one. */
  readonly observedAt: number;
  readonly receivedAt: number;
  /** Averaging time of the value (a LAeq over 1 s: 1000); null for an instantaneous value. */
  readonly periodMs: number | null;
  /** Expected spacing of this series, from the registry or the flow; null when nobody knows. */
  readonly intervalMs: number | null;
  /** null is a missing value and carries a flag; it is never 0. */
  readonly value: number | null;
  readonly quality: Quality;
  readonly flags: readonly Flag[];
}

export interface Sample extends Measurement {
  readonly kind: 'sample';
  readonly revision: number;
}

export interface Aggregate {
  readonly kind: 'aggregate';
  readonly place: string;
  readonly channel: string;
  readonly domain: string;
  readonly quantity: string;
  readonly periodMs: number;
  /** `day`, `evening`, `night`, or empty. */
  readonly part: string;
  /** Window `[start, end)` on observed time. */
  readonly start: number;
  readonly end: number;
  readonly revision: number;
  /** Number of values that entered; missing values do not. */
  readonly count: number;
  /** Covered time / window length, 0..1; null when the spacing of the series is unknown. */
  readonly coverage: number | null;
  readonly valid: boolean;
  readonly flags: readonly Flag[];
  readonly values: Readonly<Record<string, number | null>>;
  /** Instants of extremes, by the name of the value. */
  readonly at: Readonly<Record<string, number>>;
}

/**
 * Why data is missing; `docs/batches.md` lists them with their meaning. `gateway-off`: the gateway did not run. `port-gone`: the port
 * of a line was not there. `silent`: the port was there and nothing usable came. `store-full`: the store had no room. `backpressure`:
 * the store was too slow, or its disk failed. `refused`: the store refused for another reason. `store-damaged`: records that were
 * stored are destroyed. `thinned`: the samples gave way to others at the disk limit; aggregates with the flag `thinned` stand for
 * them, where they are not gone. `clock`: samples came, and when is not known, because nobody set the clock before the machine was
 * started again.
 */
export const GAP_CAUSES = [
  'gateway-off',
  'port-gone',
  'silent',
  'store-full',
  'backpressure',
  'refused',
  'store-damaged',
  'thinned',
  'clock',
] as const;
export type GapCause = (typeof GAP_CAUSES)[number];

/** Time without data, and why: silence is data. */
export interface GapRecord {
  readonly kind: 'gap';
  /** Empty: the whole gateway. */
  readonly place: string;
  /** The stream that lacks something; empty: no stream in particular. */
  readonly stream: string;
  /** `[from, to]`; equal where the length is not known, because the clock was set back meanwhile. */
  readonly from: number;
  readonly to: number;
  readonly cause: GapCause;
  /** Samples that are lost; null where nobody can count what never came. */
  readonly count: number | null;
}

export type DataRecord = Sample | Aggregate | GapRecord;

/**
 * Where a record goes, decided when it is accepted so that redrawing a flow loses nothing:
 * `stream:ID` for an outbox, `rule:NODE` for an aggregation rule.
 */
export type Destination = `stream:${string}` | `rule:${string}`;

/** A record on its way into the log. */
export interface NewEntry {
  readonly record: DataRecord;
  readonly to: readonly Destination[];
}

/** A record on disk. `id` is unique and rising per (`gateway`, `epoch`), starting at 1. */
export interface LogEntry extends NewEntry {
  readonly id: number;
}
