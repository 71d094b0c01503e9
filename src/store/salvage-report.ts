import type { LogInterval } from './store.ts';

/** A damaged store was set aside and a new one made from what could be read, under a new epoch. */
export interface SalvageReport {
  readonly at: number;
  /** Directory in the data directory that keeps the damaged files as they were found. */
  readonly directory: string;
  readonly cause: string;
  readonly previousEpoch: string | null;
  readonly durationMs: number;
  readonly records: number;
  /** Records known to have been there and not carried over; what was at the very end of the log may be unknown. */
  readonly lostRecords: number;
  /** Ids declared lost by gaps, of this salvage and earlier ones. */
  readonly lost: readonly LogInterval[];
  /** Rows that made no sense, by table. */
  readonly refusedRows: Readonly<Record<string, number>>;
  /** Tables of which a part could not be read. */
  readonly incompleteTables: readonly string[];
  /** Streams whose position was lost: records that were not proved acknowledged are sent again. */
  readonly uncertainStreams: readonly string[];
  /** Devices whose frame counter was lost: their session stays closed until they are imported again. */
  readonly closedSessions: readonly string[];
}
