import type { DataRecord, LogEntry } from '../model/record.ts';
import type { BlockCache } from './block-cache.ts';
import { type Block, decodeBlock, encodeBlock } from './block-codec.ts';
import type { BlockDirectory } from './block-directory.ts';
import { blockOf } from './block-row.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Statement } from './database.ts';
import { writeMeta } from './meta.ts';
import type { RetimeSpan } from './clock-store.ts';

/** Blocks of one transaction: no commit waits longer for it. */
const BLOCKS_PER_STEP = 64;

const BLOCKS = 'SELECT * FROM log WHERE first_id >= ? AND first_id < ? ORDER BY first_id LIMIT ?';
/** Whoever wrote the block anew meanwhile (thinning) has the last word. */
const REWRITE = 'UPDATE log SET min_at = ?, max_at = ?, crc = ?, data = ? WHERE first_id = ? AND count = ? AND crc = ?';

interface Parts {
  readonly queue: CommitQueue;
  readonly cache: BlockCache;
  readonly directory: BlockDirectory;
}

interface Rewrite {
  readonly before: Block;
  readonly block: Block;
  readonly entries: readonly LogEntry[];
}

/** Gives records that were taken before the clock was set their true time, some blocks at a time. */
export class Retiming {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** One transaction of it, with the state that says where the next goes on: a kill at any moment re-times nothing twice. */
  async step(span: RetimeSpan, stateAfter: (nextId: number) => string): Promise<number> {
    const { queue, cache, directory } = this.#parts;
    const rows = await queue.read(BLOCKS, [span.fromId, span.toId, BLOCKS_PER_STEP]);
    const blocks = rows.map(blockOf);
    const last = blocks.at(-1);
    const nextId = last === undefined || blocks.length < BLOCKS_PER_STEP ? span.toId : last.firstId + last.count;
    const rewrites = blocks.map((block) => rewritten(block, span)).filter((one) => one !== undefined);
    const statements = rewrites.flatMap(({ before, block }) => [rewrite(before, block), directory.widen(block)]);
    await queue.write([...statements, writeMeta('clock', stateAfter(nextId))], 'now');
    for (const { block, entries } of rewrites)
      cache.replace({ firstId: block.firstId, endId: block.firstId + block.count, entries });
    return nextId;
  }
}

const rewrite = (before: Block, { minAt, maxAt, crc, data, firstId, count }: Block): Statement => ({
  sql: REWRITE,
  params: [minAt, maxAt, crc, data, firstId, count, before.crc],
});

/** Undefined where nothing changes, or where the block is damaged. */
function rewritten(before: Block, span: RetimeSpan): Rewrite | undefined {
  const entries = decodeBlock(before);
  if (entries === undefined) return undefined;
  let isChanged = false;
  const retimed = entries.map((entry) => {
    const record = retimedRecord(entry.record, span);
    if (record === entry.record) return entry;
    isChanged = true;
    return { ...entry, record };
  });
  return isChanged ? { before, block: encodeBlock(before.firstId, retimed), entries: retimed } : undefined;
}

function retimedRecord(record: DataRecord, { startAt, endAt, deltaMs }: RetimeSpan): DataRecord {
  if (record.kind === 'sample') {
    if (!record.flags.includes('clock-estimated')) return record;
    const flags = record.flags.filter((flag) => flag !== 'clock-estimated');
    return { ...record, flags, observedAt: record.observedAt + deltaMs, receivedAt: record.receivedAt + deltaMs };
  }
  if (record.kind !== 'gap') return record;
  const shifted = (at: number): number => (at >= startAt && at <= endAt ? at + deltaMs : at);
  const [from, to] = [shifted(record.from), shifted(record.to)];
  return from === record.from && to === record.to ? record : { ...record, from: Math.min(from, to), to };
}
