import type { DataRecord, LogEntry } from '../model/record.ts';
import { type Block, decodeBlock, instantOf } from './block-codec.ts';
import type { BlockCache, CachedBlock } from './block-cache.ts';
import type { BlockDirectory, Span } from './block-directory.ts';
import { blockOf } from './block-row.ts';
import type { Database } from './database.ts';
import type { LogRange } from './store.ts';

/** Rows of one query: no commit waits longer than it takes. */
const ROWS_PER_QUERY = 32;
/** Entries of one page of a range at least, where there are as many. */
const PAGE_ENTRIES = 1000;

/** The block that holds an id, or would: between two queries blocks may have been merged, and the id is what stays. */
const HOLDING = 'coalesce((SELECT max(first_id) FROM log WHERE first_id <= ?), 0)';
const BLOCKS_FROM = `SELECT first_id, count FROM log WHERE first_id >= ${HOLDING} ORDER BY first_id LIMIT ?`;
const BLOCKS_BETWEEN = `SELECT * FROM log WHERE first_id BETWEEN ${HOLDING} AND ? ORDER BY first_id`;
const BLOCKS_IN_RANGE = `SELECT * FROM log WHERE first_id BETWEEN ${HOLDING} AND ? AND min_at < ? AND max_at >= ?
  ORDER BY first_id LIMIT ?`;

interface Parts {
  readonly database: Database;
  readonly cache: BlockCache;
  readonly directory: BlockDirectory;
  readonly onDamaged: (block: Block) => void;
  readonly head: () => number;
  /** `LogStore.revision`. */
  readonly revision: () => number;
}

/** Reads committed entries by id and by time; a damaged block is passed over and told of. */
export class LogReader {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async read(from: number, limit: number): Promise<readonly LogEntry[]> {
    const { cache, head } = this.#parts;
    const entries: LogEntry[] = [];
    let next = Math.max(1, from);
    while (entries.length < limit && next < head()) {
      const cached = cache.find(next);
      const page = cached === undefined ? await this.#load(next, limit - entries.length) : pageOf(cached);
      for (const entry of page.entries) if (entry.id >= next) entries.push(entry);
      next = page.nextId;
    }
    return entries;
  }

  async *readRange(range: LogRange): AsyncGenerator<readonly LogEntry[]> {
    const { database, directory } = this.#parts;
    const spans = await directory.find(database, range.fromMs, range.toMs, range.afterId ?? 0);
    const cursor = { nextId: (range.afterId ?? 0) + 1 };
    for (const span of spans) yield* this.#readSpan(span, range, cursor);
  }

  /** Blocks from the one that holds `id`, about `wanted` entries; `nextId` is where reading goes on. */
  async #load(id: number, wanted: number): Promise<Page> {
    const { database, cache, head, revision } = this.#parts;
    const headId = head();
    const readAt = revision();
    const index = (await database.read(BLOCKS_FROM, [id, ROWS_PER_QUERY])).map(blockOf);
    const end = endOfBlocks(index, id, wanted);
    const last = index[end - 1];
    if (last === undefined) return { entries: [], nextId: headId };
    const rows = await database.read(BLOCKS_BETWEEN, [id, last.firstId]);
    const decoded = rows.map((row) => this.#decode(blockOf(row)));
    for (const block of decoded) if (readAt === revision()) cache.addDecoded(block);
    const entries = decoded.flatMap((block) => block.entries);
    const endId = decoded.reduce((greatest, block) => Math.max(greatest, block.endId), 0);
    const isLastRow = end === index.length && index.length < ROWS_PER_QUERY;
    // Blocks may have been committed since `headId` was taken, and be among these.
    const afterLast = isLastRow ? Math.max(headId, endId) : last.firstId + last.count;
    const following = index[end]?.firstId ?? afterLast;
    return { entries, nextId: Math.max(id + 1, following, endId) };
  }

  async *#readSpan(span: Span, range: LogRange, cursor: { nextId: number }): AsyncGenerator<readonly LogEntry[]> {
    const { database } = this.#parts;
    let page: LogEntry[] = [];
    cursor.nextId = Math.max(cursor.nextId, span.firstId);
    for (;;) {
      const bounds = [cursor.nextId, span.lastId, range.toMs, range.fromMs, ROWS_PER_QUERY];
      const rows = await database.read(BLOCKS_IN_RANGE, bounds);
      for (const row of rows) {
        const { entries, endId } = this.#decode(blockOf(row));
        for (const entry of entries) if (entry.id >= cursor.nextId && isInRange(entry, range)) page.push(entry);
        cursor.nextId = Math.max(cursor.nextId, endId);
        if (page.length >= PAGE_ENTRIES) {
          yield page;
          page = [];
        }
      }
      if (rows.length < ROWS_PER_QUERY) break;
    }
    if (page.length > 0) yield page;
  }

  /** Of a damaged block not even its count may be believed. */
  #decode(block: Block): CachedBlock {
    const { firstId, count } = block;
    const decoded = decodeBlock(block);
    if (decoded !== undefined) return { firstId, endId: firstId + count, entries: decoded };
    this.#parts.onDamaged(block);
    return { firstId, endId: firstId + 1, entries: [] };
  }
}

interface Page {
  readonly entries: readonly LogEntry[];
  readonly nextId: number;
}

const pageOf = ({ entries, endId }: CachedBlock): Page => ({ entries, nextId: endId });

/** How many of the blocks are needed for `wanted` entries from `id` on; at least one. */
function endOfBlocks(blocks: readonly Block[], id: number, wanted: number): number {
  let found = 0;
  for (const [index, { firstId, count }] of blocks.entries()) {
    found += Math.max(0, firstId + count - Math.max(id, firstId));
    if (found >= wanted) return index + 1;
  }
  return blocks.length;
}

function isInRange({ id, record }: LogEntry, range: LogRange): boolean {
  const at = instantOf(record);
  return (
    at >= range.fromMs &&
    at < range.toMs &&
    id > (range.afterId ?? 0) &&
    (range.kind === undefined || range.kind === record.kind) &&
    (range.place === undefined || range.place === record.place) &&
    isOfSeries(record, range)
  );
}

/** A gap is of a place, and of no series: a channel or a quantity that is asked for leaves it out. */
const isOfSeries = (record: DataRecord, { channel, quantity }: LogRange): boolean =>
  record.kind === 'gap'
    ? channel === undefined && quantity === undefined
    : (channel === undefined || channel === record.channel) && (quantity === undefined || quantity === record.quantity);
