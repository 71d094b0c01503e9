import type { DataRecord, LogEntry } from '../model/record.ts';
import { type Block, decodeBlock, instantOf } from './block-codec.ts';
import type { BlockCache } from './block-cache.ts';
import type { BlockDirectory, Span } from './block-directory.ts';
import { blockOf } from './block-row.ts';
import type { Database } from './database.ts';
import type { LogRange } from './store.ts';

/** Rows of one query: no commit waits longer than it takes. */
const ROWS_PER_QUERY = 32;
/** Entries of one page of a range at least, where there are as many. */
const PAGE_ENTRIES = 1000;

const BLOCKS_FROM = `SELECT first_id, count FROM log
  WHERE first_id >= coalesce((SELECT max(first_id) FROM log WHERE first_id <= ?), 0) ORDER BY first_id LIMIT ?`;
const BLOCKS_BETWEEN = 'SELECT * FROM log WHERE first_id BETWEEN ? AND ? ORDER BY first_id';
const BLOCKS_IN_RANGE = `SELECT * FROM log WHERE first_id BETWEEN ? AND ? AND min_at < ? AND max_at >= ?
  ORDER BY first_id LIMIT ?`;

interface Parts {
  readonly database: Database;
  readonly cache: BlockCache;
  readonly directory: BlockDirectory;
  readonly onDamaged: (block: Block) => void;
  readonly head: () => number;
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
    for (const span of spans) yield* this.#readSpan(span, range);
  }

  /** Blocks from the one that holds `id`, about `wanted` entries; `nextId` is where reading goes on. */
  async #load(id: number, wanted: number): Promise<Page> {
    const { database, cache, head } = this.#parts;
    const headId = head();
    const index = (await database.read(BLOCKS_FROM, [id, ROWS_PER_QUERY])).map(blockOf);
    const end = endOfBlocks(index, id, wanted);
    const last = index[end - 1];
    if (index[0] === undefined || last === undefined) return { entries: [], nextId: headId };
    const blocks = (await database.read(BLOCKS_BETWEEN, [index[0].firstId, last.firstId])).map(blockOf);
    const entries = blocks.flatMap((block) => {
      const decoded = this.#decode(block);
      cache.addDecoded(decoded);
      return decoded;
    });
    const isLastRow = end === index.length && index.length < ROWS_PER_QUERY;
    // Blocks may have been committed since `headId` was taken, and be among these.
    const afterLast = isLastRow ? Math.max(headId, (entries.at(-1)?.id ?? 0) + 1) : last.firstId + last.count;
    const following = index[end]?.firstId ?? afterLast;
    return { entries, nextId: Math.max(id + 1, following) };
  }

  async *#readSpan(span: Span, range: LogRange): AsyncGenerator<readonly LogEntry[]> {
    const { database } = this.#parts;
    let next = span.firstId;
    let page: LogEntry[] = [];
    for (;;) {
      const rows = await database.read(BLOCKS_IN_RANGE, [next, span.lastId, range.toMs, range.fromMs, ROWS_PER_QUERY]);
      for (const row of rows) {
        const block = blockOf(row);
        next = block.firstId + 1;
        for (const entry of this.#decode(block)) if (isInRange(entry, range)) page.push(entry);
        if (page.length >= PAGE_ENTRIES) {
          yield page;
          page = [];
        }
      }
      if (rows.length < ROWS_PER_QUERY) break;
    }
    if (page.length > 0) yield page;
  }

  #decode(block: Block): readonly LogEntry[] {
    const decoded = decodeBlock(block);
    if (decoded !== undefined) return decoded;
    this.#parts.onDamaged(block);
    return [];
  }
}

interface Page {
  readonly entries: readonly LogEntry[];
  readonly nextId: number;
}

const pageOf = (entries: readonly LogEntry[]): Page => ({ entries, nextId: (entries.at(-1)?.id ?? 0) + 1 });

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
