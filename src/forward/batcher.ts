import { hash } from 'node:crypto';
import type { Batch, Encoding, Lane } from '../model/batch.ts';
import type { LogEntry } from '../model/record.ts';
import { compress } from './compression.ts';
import { bodyText, recordText, type BatchHead } from './formats/json.ts';

/** Default bound of a body before compression: about 2,000 samples, 20 to 40 kB on the wire. */
export const DEFAULT_BODY_BYTES = 512 * 1024;

/** The head and the brackets of a body, whatever the names in it: gateway and stream ids are at most 40 characters. */
const HEAD_BYTES = 512;

export interface BatchLimits {
  readonly maxRecords: number;
  /** Bound of the uncompressed body; a single record above it makes a batch of its own. */
  readonly maxBodyBytes: number;
}

export interface BatchOrder extends BatchHead {
  readonly lane: Lane;
  readonly encoding: Encoding;
}

/** Lower-case hex SHA-256 of a body before compression. */
export const bodyHash = (body: Uint8Array): string => hash('sha256', body, 'hex');

/**
 * Makes a batch of the first of `entries` (at least one), as many as the limits allow: `recordCount` says how many.
 * It is immutable from here on, and sealed once the store has committed it.
 */
export async function buildBatch(order: BatchOrder, entries: readonly LogEntry[], limits: BatchLimits): Promise<Batch> {
  const records = recordsWithin(entries, limits);
  const body = Buffer.from(bodyText(order, records));
  return {
    stream: order.stream,
    epoch: order.epoch,
    seq: order.seq,
    lane: order.lane,
    createdAt: order.createdAt,
    recordCount: records.length,
    sha256: bodyHash(body),
    encoding: order.encoding,
    body: await compress(body, order.encoding),
  };
}

function recordsWithin(entries: readonly LogEntry[], { maxRecords, maxBodyBytes }: BatchLimits): readonly string[] {
  const records: string[] = [];
  let bytes = HEAD_BYTES;
  for (const entry of entries) {
    if (records.length === maxRecords) break;
    const record = recordText(entry);
    bytes += Buffer.byteLength(record) + 1;
    if (bytes > maxBodyBytes && records.length > 0) break;
    records.push(record);
  }
  return records;
}
