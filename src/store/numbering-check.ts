import { GatewayError } from '../runtime/errors.ts';
import type { Database } from './database.ts';
import { SEQ_SPAN } from './stream-state.ts';

const BATCHES_BEYOND = `SELECT stream FROM stream WHERE EXISTS
  (SELECT 1 FROM batch WHERE key > stream.ref * ${SEQ_SPAN} + stream.last_seq AND key < (stream.ref + 1) * ${SEQ_SPAN})`;

/** A batch beyond its stream's last number was given a number that would be given again. Throws STORE_CORRUPT. */
export async function assertNumbering(database: Pick<Database, 'read'>): Promise<void> {
  const [row] = await database.read(BATCHES_BEYOND);
  if (row === undefined) return;
  throw new GatewayError('STORE_CORRUPT', 'a stream has batches beyond its last number', {
    context: { stream: String(row['stream']) },
  });
}
