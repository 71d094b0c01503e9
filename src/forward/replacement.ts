import type { Batch, ParkedRecord } from '../model/batch.ts';
import type { BatchReplacement } from '../store/store.ts';
import { bodyHash } from './batcher.ts';
import { compress, decompress } from './compression.ts';
import { bodyText, emptyBodyText } from './formats/json.ts';
import { naturalKey } from './natural-key.ts';

/** The records of a sealed body, as they stand in it. */
export interface UnpackedBatch {
  readonly records: readonly Readonly<Record<string, unknown>>[];
  /** Size before compression. */
  readonly bodyBytes: number;
}

export interface ReplacementOrder {
  readonly gateway: string;
  /** Last number of the stream. */
  readonly lastSeq: number;
  readonly nowMs: number;
}

/** Undefined when the stored body cannot be read: then nothing can be made of it but to send it again. */
export async function unpack(batch: Batch): Promise<UnpackedBatch | undefined> {
  try {
    const body = await decompress(batch.body, batch.encoding);
    const { records } = JSON.parse(Buffer.from(body).toString()) as Pick<UnpackedBatch, 'records'>;
    return Array.isArray(records) && records.length === batch.recordCount
      ? { records, bodyBytes: body.byteLength }
      : undefined;
  } catch {
    // Damaged on disk; the caller keeps the batch and says so.
    return undefined;
  }
}

/** Its records in `count` batches of about equal length (at least two records, at most as many batches), under the next numbers. */
export async function splitBatch(
  batch: Batch,
  { records }: UnpackedBatch,
  count: number,
  order: ReplacementOrder,
): Promise<BatchReplacement> {
  const parts: Batch[] = [];
  const pieces = Math.max(1, Math.min(count, records.length));
  for (let piece = 0; piece < pieces; piece += 1) {
    const from = Math.floor((piece * records.length) / pieces);
    const to = Math.floor(((piece + 1) * records.length) / pieces);
    const seq = order.lastSeq + 1 + piece;
    const texts = records.slice(from, to).map((record) => JSON.stringify(record));
    const body = bodyText({ ...headOf(batch, order), seq }, texts);
    parts.push(await sealed({ ...batch, lane: 'backlog', seq, recordCount: texts.length }, body, order));
  }
  const replacedBy: readonly [number, number] = [order.lastSeq + 1, order.lastSeq + pieces];
  const body = emptyBodyText({ ...headOf(batch, order), seq: batch.seq }, { replacedBy });
  return { empty: await sealed({ ...batch, recordCount: 0 }, body, order), parts, parked: null };
}

/** Its one record is set aside. */
export async function parkBatch(
  batch: Batch,
  { records }: UnpackedBatch,
  reasonCode: number | null,
  order: ReplacementOrder,
): Promise<BatchReplacement> {
  const record = records[0] ?? {};
  const id = String(record['id']);
  const { stream, epoch, seq } = batch;
  const parked: ParkedRecord = {
    stream,
    epoch,
    seq,
    id,
    naturalKey: naturalKey(order.gateway, epoch, record),
    reasonCode,
    parkedAt: order.nowMs,
    record: JSON.stringify(record),
  };
  const body = emptyBodyText({ ...headOf(batch, order), seq }, { parked: [id] });
  return { empty: await sealed({ ...batch, recordCount: 0 }, body, order), parts: [], parked };
}

const headOf = ({ stream, epoch }: Batch, { gateway, nowMs }: ReplacementOrder) => ({
  gateway,
  stream,
  epoch,
  createdAt: nowMs,
});

async function sealed(of: Batch, text: string, { nowMs }: ReplacementOrder): Promise<Batch> {
  const body = Buffer.from(text);
  return { ...of, createdAt: nowMs, sha256: bodyHash(body), body: await compress(body, of.encoding) };
}
