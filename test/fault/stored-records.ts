import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { decodeBlock } from '../../src/store/block-codec.ts';
import { blockOf } from '../../src/store/block-row.ts';
import type { Row } from '../../src/store/database.ts';

export interface Truth {
  /** Values by place, quantity and instant. */
  readonly values: ReadonlyMap<string, ReadonlySet<number | null>>;
  readonly blocks: readonly Buffer[];
  readonly samples: number;
}

export const sampleKey = (place: string, quantity: string, observedAtMs: number): string =>
  `${place}/${quantity}/${observedAtMs}`;

export const observedAtOf = (key: string): number => Number(key.slice(key.lastIndexOf('/') + 1));

/** What a sound store that nobody has open holds. */
export function storedTruth(dataDir: string): Truth {
  const database = new DatabaseSync(join(dataDir, 'cigale.db'));
  const rows = database.prepare('SELECT * FROM log').all() as Row[];
  database.close();
  const blocks = rows.map(blockOf);
  const values = new Map<string, Set<number | null>>();
  let samples = 0;
  for (const { record } of blocks.flatMap((block) => decodeBlock(block) ?? [])) {
    if (record.kind !== 'sample') continue;
    samples += 1;
    const key = sampleKey(record.place, record.quantity, record.observedAt);
    values.set(key, (values.get(key) ?? new Set()).add(record.value));
  }
  return { values, blocks: blocks.map(({ data }) => Buffer.from(data)), samples };
}
