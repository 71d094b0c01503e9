import type { Batch } from '../model/batch.ts';
import type { Row, Statement } from './database.ts';
import { seqOf } from './stream-state.ts';

/** Replaces: a transaction that is run again brings the same batch under the same key. */
export const insertBatch = (key: number, batch: Batch): Statement => ({
  sql: `INSERT OR REPLACE INTO batch (key, epoch, lane, created_at, record_count, sha256, encoding, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  params: [key, batch.epoch, batch.lane, batch.createdAt, batch.recordCount, batch.sha256, batch.encoding, batch.body],
});

export const batchOf = (stream: string, row: Row): Batch => ({
  stream,
  epoch: String(row['epoch']),
  seq: seqOf(Number(row['key'])),
  lane: row['lane'] as Batch['lane'],
  createdAt: Number(row['created_at']),
  recordCount: Number(row['record_count']),
  sha256: String(row['sha256']),
  encoding: row['encoding'] as Batch['encoding'],
  body: row['body'] instanceof Uint8Array ? row['body'] : new Uint8Array(0),
});
