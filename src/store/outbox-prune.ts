import type { CommitQueue } from './commit-queue.ts';
import type { Statement } from './database.ts';
import { type StreamRecord, batchKey } from './stream-state.ts';

/** Batches of one deletion: each may hold some hundred kilobytes, and no commit waits longer for it. */
const PRUNE_STEP = 100;

/** Acknowledgements of batches that are still there, oldest first. */
const ACKNOWLEDGED = `SELECT key, acked_at FROM acknowledgement WHERE key > ? AND key < ?
  AND EXISTS (SELECT 1 FROM batch WHERE batch.key = acknowledgement.key) ORDER BY key LIMIT ?`;

const deleteBatches = (keys: readonly number[]): Statement => ({
  sql: 'DELETE FROM batch WHERE key IN (SELECT value FROM json_each(?))',
  params: [JSON.stringify(keys)],
});

/** An acknowledgement above the first that is missing outlives its batch: it tells the batch from one not yet acknowledged. */
const deleteSettled = ({ ref, ackedTo }: Positions): Statement => ({
  sql: `DELETE FROM acknowledgement WHERE key > ? AND key <= ?
    AND NOT EXISTS (SELECT 1 FROM batch WHERE batch.key = acknowledgement.key)`,
  params: [batchKey(ref, 0), batchKey(ref, ackedTo)],
});

type Positions = Pick<StreamRecord, 'ref' | 'ackedTo'>;

/**
 * Deletes a stream's batches acknowledged before `beforeMs`, from the oldest on, up to the first step in which there was
 * none: numbers are acknowledged nearly in order. How many.
 */
export async function deleteAcknowledged(queue: CommitQueue, stream: Positions, beforeMs: number): Promise<number> {
  let deleted = 0;
  let after = batchKey(stream.ref, 0);
  for (;;) {
    const rows = await queue.read(ACKNOWLEDGED, [after, batchKey(stream.ref + 1, 0), PRUNE_STEP]);
    const keys = rows.filter((row) => Number(row['acked_at']) < beforeMs).map((row) => Number(row['key']));
    if (keys.length === 0) return deleted;
    await queue.writeApart([deleteBatches(keys), deleteSettled(stream)]);
    deleted += keys.length;
    after = Number(rows.at(-1)?.['key']);
  }
}

/** Deletes one step of a stream's acknowledged batches, oldest first; how many. */
export async function deleteOldestAcknowledged(queue: CommitQueue, stream: Positions): Promise<number> {
  const rows = await queue.read(ACKNOWLEDGED, [batchKey(stream.ref, 0), batchKey(stream.ref + 1, 0), PRUNE_STEP]);
  if (rows.length === 0) return 0;
  await queue.writeApart([deleteBatches(rows.map((row) => Number(row['key']))), deleteSettled(stream)]);
  return rows.length;
}

/** Deletes all batches of a stream, some at a time. */
export async function deleteBatchesOf(queue: CommitQueue, ref: number): Promise<void> {
  const range = [batchKey(ref, 0), batchKey(ref + 1, 0)];
  for (;;) {
    const sql = 'SELECT key FROM batch WHERE key > ? AND key < ? ORDER BY key LIMIT ?';
    const keys = (await queue.read(sql, [...range, PRUNE_STEP])).map((row) => Number(row['key']));
    if (keys.length === 0) break;
    await queue.writeApart([deleteBatches(keys)]);
  }
  await queue.writeApart([
    { sql: 'DELETE FROM acknowledgement WHERE key > ? AND key < ?', params: range },
    { sql: 'DELETE FROM parked WHERE key > ? AND key < ?', params: range },
  ]);
}
