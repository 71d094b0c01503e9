export type Lane = 'live' | 'backlog';
export type Encoding = 'identity' | 'deflate' | 'zstd';

/** A sealed batch: immutable from here on. */
export interface Batch {
  readonly stream: string;
  readonly epoch: string;
  /** From 1, without gap per (gateway, stream, epoch). */
  readonly seq: number;
  readonly lane: Lane;
  readonly createdAt: number;
  readonly recordCount: number;
  /** Lower-case hex SHA-256 of the uncompressed body. */
  readonly sha256: string;
  /** How `body` is compressed; on the wire it is sent as it is stored, or uncompressed where the protocol asks for it. */
  readonly encoding: Encoding;
  readonly body: Uint8Array;
}

/** A record that a broker refused alone: it is kept, and not sent. */
export interface ParkedRecord {
  readonly stream: string;
  readonly epoch: string;
  /** Number of the batch in which it stood alone. */
  readonly seq: number;
  /** The record's own id. */
  readonly id: string;
  /** Its natural key as text, for people. */
  readonly naturalKey: string;
  /** MQTT 5 reason code of the last refusal; null when the connection ended each time. */
  readonly reasonCode: number | null;
  readonly parkedAt: number;
  /** The record as it stood in the body, JSON. */
  readonly record: string;
}

/** Records parked per stream at most: a broker that refuses more than these refuses the stream. */
export const MAX_PARKED_RECORDS = 1000;
