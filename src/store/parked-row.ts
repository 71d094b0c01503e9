import type { ParkedRecord } from '../model/batch.ts';
import type { Database, Row, Statement } from './database.ts';
import { batchKey, seqOf } from './stream-state.ts';

/** Under the key of the batch in which the record stood alone. */
export const insertParked = (key: number, parked: ParkedRecord): Statement => ({
  sql: `INSERT OR REPLACE INTO parked (key, epoch, record_id, natural_key, reason, parked_at, record)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  params: [key, parked.epoch, parked.id, parked.naturalKey, parked.reasonCode, parked.parkedAt, parked.record],
});

export const PARKED = 'SELECT * FROM parked WHERE key > ? AND key < ? ORDER BY key LIMIT ?';

export const parkedOf = (stream: string, row: Row): ParkedRecord => ({
  stream,
  epoch: String(row['epoch']),
  seq: seqOf(Number(row['key'])),
  id: String(row['record_id']),
  naturalKey: String(row['natural_key']),
  reasonCode: typeof row['reason'] === 'number' ? row['reason'] : null,
  parkedAt: Number(row['parked_at']),
  record: String(row['record']),
});

/** How many records of the stream with that reference are parked. */
export async function countParked(database: Pick<Database, 'read'>, ref: number): Promise<number> {
  const sql = 'SELECT count(*) AS parked FROM parked WHERE key > ? AND key < ?';
  const [row] = await database.read(sql, [batchKey(ref, 0), batchKey(ref + 1, 0)]);
  return Number(row?.['parked'] ?? 0);
}
