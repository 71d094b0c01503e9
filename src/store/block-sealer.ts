import { isDeepStrictEqual } from 'node:util';
import type { LogEntry } from '../model/record.ts';
import type { Log } from '../runtime/log.ts';
import { type Block, MAX_BLOCK_ENTRIES, decodeBlock, encodeSealedBlock, levelOf } from './block-codec.ts';
import { type Span, insertSegment, spanOf } from './block-directory.ts';
import { LEVEL } from './block-level.ts';
import { blockOf } from './block-row.ts';
import type { BlockStreams } from './block-streams.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Statement } from './database.ts';
import { insertBlock } from './log-writer.ts';
import { readMeta, writeMeta } from './meta.ts';

/** Ids of a sealed block at least, where there are as many: about half an hour of a noise meter. */
export const SEALED_IDS = 2048;
/** Segments of one query. */
const SEGMENTS_PER_QUERY = 64;

interface Parts {
  readonly queue: CommitQueue;
  /** Records from this id on are left as they are: their time may still change. */
  readonly finalBelowId: () => number;
  readonly streams: BlockStreams;
  readonly log: Log;
}

/**
 * Merges the small blocks that commits made into sealed blocks, without loss: the same entries under the same ids, with what is
 * common to a series once. The newest blocks, which no segment sums up yet, are left as they are. Each merge is one
 * transaction; a block that is damaged, or was sealed before, stays as it is.
 */
export class BlockSealer {
  readonly #parts: Parts;
  #sealedTo: number | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Every id below lies in a block that was sealed, or could not be. */
  async sealedTo(): Promise<number> {
    this.#sealedTo ??= Number((await readMeta(this.#parts.queue, 'sealed_to')) ?? 1);
    return this.#sealedTo;
  }

  /** Seals one group of segments; false when too little has come since the last. */
  async sealNext(): Promise<boolean> {
    const { queue, finalBelowId } = this.#parts;
    const from = await this.sealedTo();
    const isFinal = ({ lastId }: Span): boolean => lastId < finalBelowId();
    const sql = 'SELECT first_id, last_id, min_at, max_at FROM segment WHERE last_id >= ? ORDER BY first_id LIMIT ?';
    const segments = (await queue.read(sql, [from, SEGMENTS_PER_QUERY])).map(spanOf);
    const group = groupOf(segments.filter(isFinal));
    const [first, last] = [group[0], group.at(-1)];
    if (first === undefined || last === undefined) return false;
    const rows = await queue.read('SELECT * FROM log WHERE first_id BETWEEN ? AND ? ORDER BY first_id', [
      first.firstId,
      last.lastId,
    ]);
    // A merged block may reach over what were two segments: they become one with the first of the merges.
    let statements: Statement[] = [
      { sql: 'DELETE FROM segment WHERE first_id BETWEEN ? AND ?', params: [first.firstId, last.lastId] },
      insertSegment(group),
    ];
    for (const run of runsOf(rows.map(blockOf))) {
      const merge = this.#merge(run);
      if (merge === undefined) continue;
      await queue.transact([...statements, ...merge]);
      statements = [];
    }
    await queue.transact([...statements, writeMeta('sealed_to', String(last.lastId + 1))]);
    this.#sealedTo = last.lastId + 1;
    return true;
  }

  /** What replaces the blocks of a run; undefined when the sealed block would not give the same again. */
  #merge(run: readonly Decoded[]): readonly Statement[] | undefined {
    const [first, last] = [run[0], run.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    const firstId = first.block.firstId;
    const entries = run.flatMap((one) => one.entries);
    const span = { firstId, count: last.block.firstId + last.block.count - firstId };
    const sealed = encodeSealedBlock(span, entries, LEVEL.sealed);
    if (!isDeepStrictEqual(decodeBlock(sealed), entries)) {
      this.#parts.log.error(
        { firstId, count: span.count },
        'a block could not be sealed without loss: it stays as it is',
      );
      return undefined;
    }
    this.#parts.streams.note(firstId, entries);
    return [deleteBlocks(firstId, last.block.firstId), insertBlock(sealed)];
  }
}

interface Decoded {
  readonly block: Block;
  readonly entries: readonly LogEntry[];
}

export const deleteBlocks = (firstId: number, lastFirstId: number): Statement => ({
  sql: 'DELETE FROM log WHERE first_id BETWEEN ? AND ?',
  params: [firstId, lastFirstId],
});

const idsOf = (spans: readonly Span[]): number =>
  spans.length === 0 ? 0 : (spans.at(-1) as Span).lastId - (spans[0] as Span).firstId + 1;

/** The next segments that make at least one sealed block; none while there are too few ids. */
function groupOf(segments: readonly Span[]): readonly Span[] {
  const end = segments.findIndex((_, index) => idsOf(segments.slice(0, index + 1)) >= SEALED_IDS);
  return end < 0 ? [] : segments.slice(0, end + 1);
}

/** Neighbours that become one block: of `SEALED_IDS` ids where they give as many, and never of more than a block may hold. */
function runsOf(blocks: readonly Block[]): readonly (readonly Decoded[])[] {
  const runs: Decoded[][] = [];
  let run: Decoded[] | undefined;
  for (const block of blocks) {
    const isFree = levelOf(block.data[0] ?? 0) === LEVEL.committed;
    const entries = isFree ? decodeBlock(block) : undefined;
    if (entries === undefined) {
      run = undefined;
      continue;
    }
    const firstId = run?.[0]?.block.firstId ?? block.firstId;
    const end = block.firstId + block.count;
    const isFull = block.firstId - firstId >= SEALED_IDS || end - firstId > MAX_BLOCK_ENTRIES;
    if (run === undefined || isFull) runs.push((run = [{ block, entries }]));
    else run.push({ block, entries });
  }
  return runs;
}
