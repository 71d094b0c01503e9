import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { STORE_FILES } from './disk-log.ts';

/** Ways in which a store that nobody has open is damaged; `wal` ones need a store that was killed. */
export const DAMAGES = [
  'db: one bit',
  'db: one bit of a block',
  'db: a page of zeros',
  'db: cut off',
  'wal: one bit',
  'wal: cut off',
  'wal: removed',
] as const;
export type Damage = (typeof DAMAGES)[number];

export const needsWal = (damage: Damage): boolean => damage.startsWith('wal');

const PAGE_BYTES = 1024;

/** Damages a file; says where. `blocks` are the contents of the log's rows. */
export function corrupt(dataDir: string, damage: Damage, blocks: readonly Buffer[], random: () => number): string {
  const path = join(dataDir, STORE_FILES[needsWal(damage) ? 1 : 0]);
  if (!existsSync(path)) throw new Error(`there is no ${path}`);
  const bytes = readFileSync(path);
  const below = (limit: number): number => Math.floor(random() * limit);
  const flip = (offset: number): string => {
    bytes[offset] = (bytes[offset] ?? 0) ^ (1 << below(8));
    writeFileSync(path, bytes);
    return `${damage} at ${offset}`;
  };
  if (damage === 'db: one bit of a block') return flip(placeInBlock(bytes, blocks, random));
  if (damage.endsWith('one bit')) return flip(below(bytes.length));
  if (damage === 'wal: removed') rmSync(path);
  else if (damage.endsWith('cut off')) {
    const length = below(bytes.length);
    truncateSync(path, length);
    return `${damage} at ${length}`;
  } else {
    const page = below(bytes.length / PAGE_BYTES);
    bytes.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    writeFileSync(path, bytes);
    return `${damage}: ${page}`;
  }
  return damage;
}

/** Somewhere in the first bytes of a block's content: those lie together, whatever SQLite does with the rest. */
function placeInBlock(bytes: Buffer, blocks: readonly Buffer[], random: () => number): number {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const start = blocks[Math.floor(random() * blocks.length)]?.subarray(0, 64);
    const at = start === undefined ? -1 : bytes.indexOf(start);
    if (start !== undefined && at >= 0) return at + Math.floor(random() * start.length);
  }
  throw new Error('no block of the log is in the file');
}
