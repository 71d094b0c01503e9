import type { Database, Statement } from './database.ts';

type MetaKey =
  | 'epoch'
  | 'gateway_id'
  | 'alive_at'
  /** The line of time and what waits for it, JSON of the wiring. */
  | 'clock'
  | 'aggregate_cursor'
  | 'uplink_undecoded_from'
  | 'uplink_next_id'
  /** Every id below lies in a sealed block. */
  | 'sealed_to'
  /** Samples that lost resolution at the disk limit. */
  | 'thinned_samples'
  /** Who opened the store last: another value than one's own says that somebody else had it in between. */
  | 'opened'
  /** When the store that is lost as a whole was made, until that is declared as a gap; milliseconds. */
  | 'lost_since'
  /** The report of the last salvage, JSON. */
  | 'salvage';

/** Single values of the store. */
export async function readMeta(database: Pick<Database, 'read'>, key: MetaKey): Promise<string | undefined> {
  const [row] = await database.read('SELECT value FROM meta WHERE key = ?', [key]);
  return row === undefined ? undefined : String(row['value']);
}

export const writeMeta = (key: MetaKey, value: string): Statement => ({
  sql: 'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  params: [key, value],
});

export const deleteMeta = (key: MetaKey): Statement => ({ sql: 'DELETE FROM meta WHERE key = ?', params: [key] });
