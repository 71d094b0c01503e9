import type { LogEntry, NewEntry } from '../model/record.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { type Block, MAX_BLOCK_ENTRIES, encodeBlock } from './block-codec.ts';
import type { BlockCache } from './block-cache.ts';
import type { BlockDirectory } from './block-directory.ts';
import { blockOf } from './block-row.ts';
import type { EntryPlan, EntryPlanner } from './entry-planner.ts';
import type { Database, Statement } from './database.ts';

type Listener = (entries: readonly LogEntry[]) => void;

/** Gives ids and makes blocks: all entries of one commit go into as few blocks as there can be. */
export class LogWriter implements EntryPlanner {
  readonly #cache: BlockCache;
  readonly #directory: BlockDirectory;
  readonly #log: Log;
  readonly #listeners = new Set<Listener>();
  #nextId = 1;

  constructor(cache: BlockCache, directory: BlockDirectory, log: Log) {
    this.#cache = cache;
    this.#directory = directory;
    this.#log = log;
  }

  async load(database: Database): Promise<void> {
    await this.#directory.load(database);
    const [row] = await database.read('SELECT * FROM log ORDER BY first_id DESC LIMIT 1');
    const [segment] = await database.read('SELECT last_id FROM segment ORDER BY first_id DESC LIMIT 1');
    this.#nextId = 1 + Math.max(row === undefined ? 0 : lastIdOf(blockOf(row)), Number(segment?.['last_id'] ?? 0));
  }

  head(): number {
    return this.#nextId;
  }

  onCommitted(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  plan(groups: readonly (readonly NewEntry[])[]): EntryPlan {
    let id = this.#nextId;
    const numbered = groups.map((group) => group.map(({ record, to }): LogEntry => ({ id: id++, record, to })));
    const entries = numbered.length === 1 ? (numbered[0] ?? []) : numbered.flat();
    const parts = chunksOf(entries, MAX_BLOCK_ENTRIES);
    const blocks = parts.map((part) => encodeBlock(part[0]?.id ?? 0, part));
    const directory = this.#directory.plan(blocks);
    return {
      statements: [...blocks.map(insertBlock), ...directory.statements],
      groups: numbered,
      committed: () => {
        directory.committed();
        for (const part of parts) {
          const firstId = part[0]?.id ?? 0;
          this.#cache.addCommitted({ firstId, endId: firstId + part.length, entries: part });
        }
        this.#nextId = id;
        if (entries.length > 0) this.#notify(entries);
      },
    };
  }

  #notify(entries: readonly LogEntry[]): void {
    for (const listener of this.#listeners) {
      try {
        listener(entries);
      } catch (error) {
        this.#log.error({ error: messageOf(error) }, 'a listener of the log failed');
      }
    }
  }
}

/** Ids are never given twice: after a last block whose count cannot be believed, as many are passed over as it can have held. */
const lastIdOf = (block: Block): number =>
  block.firstId + (block.count >= 1 && block.count <= MAX_BLOCK_ENTRIES ? block.count : MAX_BLOCK_ENTRIES) - 1;

/** Replaces: a transaction that is run again brings the same blocks under the same ids. */
export const insertBlock = ({ firstId, count, minAt, maxAt, crc, data }: Block): Statement => ({
  sql: 'INSERT OR REPLACE INTO log (first_id, count, min_at, max_at, crc, data) VALUES (?, ?, ?, ?, ?, ?)',
  params: [firstId, count, minAt, maxAt, crc, data],
});

function chunksOf<T>(items: readonly T[], size: number): (readonly T[])[] {
  if (items.length <= size) return items.length === 0 ? [] : [items];
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
