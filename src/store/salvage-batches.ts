import { createHash } from 'node:crypto';
import { inflateSync, zstdDecompressSync } from 'node:zlib';
import type { Row } from './database.ts';
import type { Driver } from './driver.ts';
import { makesSense } from './salvage-tables.ts';
import { SEQ_SPAN, seqOf } from './stream-state.ts';
import type { LogInterval } from './store.ts';
import { scan } from './tolerant-scan.ts';

/** What a sealed batch tells of the stream it belongs to. */
export interface SealedBatch {
  readonly ref: number;
  readonly seq: number;
  readonly stream: string;
  /** Ids of its records; null when the batch has none. */
  readonly ids: LogInterval | null;
}

export interface ReadOutbox {
  readonly batches: readonly SealedBatch[];
  /** Keys of acknowledged batches. */
  readonly acknowledged: ReadonlySet<number>;
  readonly incomplete: readonly string[];
  readonly refused: number;
}

const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Reads which records the sealed batches hold, of those whose hash fits. */
export async function readOutbox(from: Driver): Promise<ReadOutbox> {
  const [sealed, acks] = [{ isComplete: true }, { isComplete: true }];
  const batches = new Map<number, SealedBatch>();
  let refused = 0;
  for await (const rows of scan(from, { name: 'batch', key: ['rowid'] }, sealed)) {
    for (const row of rows) {
      const isUsable = makesSense(() => {
        batches.set(Number(row['key']), sealedBatchOf(row));
        return true;
      });
      if (!isUsable) refused += 1;
    }
  }
  const acknowledged = new Set<number>();
  for await (const rows of scan(from, { name: 'acknowledgement', key: ['rowid'] }, acks)) {
    for (const { key } of rows) acknowledged.add(Number(key));
  }
  const incomplete = [...(sealed.isComplete ? [] : ['batch']), ...(acks.isComplete ? [] : ['acknowledgement'])];
  return { batches: [...batches.values()], acknowledged, incomplete, refused };
}

interface Body {
  readonly stream: string;
  readonly records: readonly { readonly id: string }[];
}

function sealedBatchOf(row: Row): SealedBatch {
  const key = Number(row['key']);
  const stored = row['body'];
  if (!Number.isSafeInteger(key) || !(stored instanceof Uint8Array)) throw new TypeError('not a batch');
  const text = inflated(String(row['encoding']), stored);
  if (createHash('sha256').update(text).digest('hex') !== row['sha256']) throw new TypeError('the hash does not fit');
  const body = JSON.parse(text.toString('utf8')) as Body;
  const ids = body.records.map(({ id }) => Number(id));
  const from = ids.reduce((least, id) => Math.min(least, id), Number.MAX_SAFE_INTEGER);
  const to = 1 + ids.reduce((greatest, id) => Math.max(greatest, id), 0);
  return {
    ref: Math.floor(key / SEQ_SPAN),
    seq: seqOf(key),
    stream: body.stream,
    ids: ids.length === 0 ? null : { from, to },
  };
}

/** The part of the log that a stored batch holds; null for none, everything where its body cannot be read. */
export function idsOfBatch(row: Row): LogInterval | null {
  try {
    return sealedBatchOf(row).ids;
  } catch {
    // A batch that is not whole: it is for the reader of batches to say so.
    return { from: 1, to: Infinity };
  }
}

function inflated(encoding: string, body: Uint8Array): Buffer {
  const limit = { maxOutputLength: MAX_BODY_BYTES };
  if (encoding === 'deflate') return inflateSync(body, limit);
  return encoding === 'zstd' ? zstdDecompressSync(body, limit) : Buffer.from(body);
}
