import type { Block } from './block-codec.ts';
import type { Database, Row, Statement } from './database.ts';

/** Blocks of one segment: about nine minutes of one commit a second. */
export const SEGMENT_BLOCKS = 512;

/** Ids of one segment at most, but for its last block: what no segment sums up is not merged into sealed blocks. */
const SEGMENT_IDS = 8192;

/** Consecutive ids and the extreme instants among them. */
export interface Span {
  readonly firstId: number;
  readonly lastId: number;
  readonly minAt: number;
  readonly maxAt: number;
}

/**
 * Where instants lie in the log: a row of `segment` sums up some hundred blocks, and the blocks after the last row are
 * summed up in memory. It replaces an index on `log`, which would multiply what a commit writes.
 */
export class BlockDirectory {
  #tail: readonly Span[] = [];

  async load(database: Database): Promise<void> {
    const sql = `SELECT first_id, first_id + count - 1 AS last_id, min_at, max_at FROM log
      WHERE first_id > coalesce((SELECT last_id FROM segment ORDER BY first_id DESC LIMIT 1), 0) ORDER BY first_id`;
    this.#tail = (await database.read(sql)).map(spanOf);
  }

  /** What must be written with these blocks, and what to call when they are committed. */
  plan(blocks: readonly Block[]): { readonly statements: readonly Statement[]; readonly committed: () => void } {
    const tail = [...this.#tail, ...blocks.map(spanOfBlock)];
    const ids = tail.length === 0 ? 0 : unionOf(tail).lastId - unionOf(tail).firstId + 1;
    const isComplete = tail.length >= SEGMENT_BLOCKS || ids >= SEGMENT_IDS;
    return {
      statements: isComplete ? [insertSegment(tail)] : [],
      committed: () => {
        this.#tail = isComplete ? [] : tail;
      },
    };
  }

  /** A block is about to be written anew with other instants; the statement widens what sums it up on disk. */
  widen(block: Block): Statement {
    const { firstId, minAt, maxAt } = spanOfBlock(block);
    this.#tail = this.#tail.map((span) =>
      span.firstId === firstId
        ? { ...span, minAt: Math.min(span.minAt, minAt), maxAt: Math.max(span.maxAt, maxAt) }
        : span,
    );
    return {
      sql: 'UPDATE segment SET min_at = min(min_at, ?), max_at = max(max_at, ?) WHERE first_id <= ? AND last_id >= ?',
      params: [minAt, maxAt, firstId, firstId],
    };
  }

  /** Spans that may hold instants in `[fromMs, toMs)`, ascending; everything committed before the call is covered. */
  async find(database: Database, fromMs: number, toMs: number, afterId: number): Promise<readonly Span[]> {
    const overlaps = (span: Span): boolean => span.minAt < toMs && span.maxAt >= fromMs && span.lastId > afterId;
    const tail = this.#tail.filter(overlaps);
    const sql =
      'SELECT first_id, last_id, min_at, max_at FROM segment WHERE last_id > ? AND min_at < ? AND max_at >= ? ORDER BY first_id';
    const beforeTail = this.#tail[0]?.firstId ?? Number.MAX_SAFE_INTEGER;
    const segments = (await database.read(sql, [afterId, toMs, fromMs])).map(spanOf);
    return [...segments.filter(({ lastId }) => lastId < beforeTail), ...(tail.length === 0 ? [] : [unionOf(tail)])];
  }
}

export const spanOf = (row: Row): Span => ({
  firstId: Number(row['first_id']),
  lastId: Number(row['last_id']),
  minAt: Number(row['min_at']),
  maxAt: Number(row['max_at']),
});

const spanOfBlock = ({ firstId, count, minAt, maxAt }: Block): Span => ({
  firstId,
  lastId: firstId + count - 1,
  minAt,
  maxAt,
});

const unionOf = (spans: readonly Span[]): Span => ({
  firstId: spans[0]?.firstId ?? 0,
  lastId: spans.at(-1)?.lastId ?? 0,
  minAt: spans.reduce((min, span) => Math.min(min, span.minAt), Number.MAX_SAFE_INTEGER),
  maxAt: spans.reduce((max, span) => Math.max(max, span.maxAt), Number.MIN_SAFE_INTEGER),
});

export function insertSegment(spans: readonly Span[]): Statement {
  const { firstId, lastId, minAt, maxAt } = unionOf(spans);
  return {
    sql: 'INSERT OR REPLACE INTO segment (first_id, last_id, min_at, max_at) VALUES (?, ?, ?, ?)',
    params: [firstId, lastId, minAt, maxAt],
  };
}
