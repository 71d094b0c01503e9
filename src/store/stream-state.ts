import type { Row, SqlValue, Statement } from './database.ts';
import { type IntervalList, subtract } from './interval-list.ts';
import type { LogInterval, StreamState } from './store.ts';
import type { StreamPosition } from './stream-position.ts';

/** Numbers of one stream lie below this, so that `ref * SEQ_SPAN + seq` is one integer key within 2^53: 8191 streams. */
export const SEQ_SPAN = 2 ** 40;
export const MAX_STREAMS = 2 ** 13 - 1;

/** Key of a batch: a stream's batches lie together in order of number, without an index. */
export const batchKey = (ref: number, seq: number): number => ref * SEQ_SPAN + seq;
export const seqOf = (key: number): number => key % SEQ_SPAN;

export interface StreamRest {
  readonly liveFrom: number;
  readonly backlog: readonly LogInterval[];
}

/** A row of `stream`, and in memory what its batches add up to. Only the outbox changes it, after the commit. */
export interface StreamRecord {
  readonly ref: number;
  readonly stream: string;
  /** Forgotten, but its last number is kept: a number must not come twice in one epoch. */
  isDropped: boolean;
  lastSeq: number;
  /** Last number given, committed or about to be. */
  sealedSeq: number;
  /** Every number up to this is acknowledged. */
  ackedTo: number;
  /** Acknowledged numbers above `ackedTo`. */
  readonly ackedBeyond: Set<number>;
  rest: StreamRest;
  /** By number: the part of the log that each batch took that is not acknowledged, among them those being sealed. */
  readonly taken: Map<number, IntervalList>;
  /** Rows of `parked`. */
  parked: number;
  createdAt: number;
}

export const recordOf = (row: Row): StreamRecord => ({
  ref: Number(row['ref']),
  stream: String(row['stream']),
  isDropped: row['dropped'] === 1,
  lastSeq: Number(row['last_seq']),
  sealedSeq: Number(row['last_seq']),
  ackedTo: Number(row['acked_to']),
  ackedBeyond: new Set(),
  rest: { liveFrom: Number(row['live_from']), backlog: JSON.parse(String(row['backlog'])) as LogInterval[] },
  taken: new Map(),
  parked: 0,
  createdAt: Number(row['created_at']),
});

/** The whole row: what is run again after a COMMIT of unknown outcome must lead to the same. */
export const putStream = (record: StreamRecord): Statement => ({
  sql: `INSERT OR REPLACE INTO stream (ref, stream, dropped, last_seq, acked_to, live_from, backlog, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  params: [
    record.ref,
    record.stream,
    record.isDropped ? 1 : 0,
    record.lastSeq,
    record.ackedTo,
    record.rest.liveFrom,
    JSON.stringify(record.rest.backlog),
    record.createdAt,
  ],
});

export const setStream = (ref: number, columns: Readonly<Record<string, SqlValue>>): Statement => ({
  sql: `UPDATE stream SET ${Object.keys(columns)
    .map((name) => `${name} = ?`)
    .join(', ')} WHERE ref = ?`,
  params: [...Object.values(columns), ref],
});

export const stateOf = (record: StreamRecord, keptFrom: number): StreamState => ({
  stream: record.stream,
  lastSeq: record.lastSeq,
  liveFrom: record.rest.liveFrom,
  backlog: record.rest.backlog,
  unacknowledgedBatches: record.lastSeq - record.ackedTo - record.ackedBeyond.size,
  keptFrom,
  parkedRecords: record.parked,
  createdAt: record.createdAt,
});

/** The unsealed rest as intervals, the live lane without an end. */
export const unsealedOf = ({ liveFrom, backlog }: StreamRest): IntervalList => [
  ...backlog,
  { from: liveFrom, to: Infinity },
];

export function positionOf({ stream, rest, taken }: StreamRecord): StreamPosition {
  const unacknowledged = [...taken.values()].flat();
  return { stream, unsealed: subtract(unsealedOf(rest), unacknowledged), unacknowledged };
}
