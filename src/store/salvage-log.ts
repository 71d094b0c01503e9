import { isBlockWhole, MAX_BLOCK_ENTRIES } from './block-codec.ts';
import { SEGMENT_BLOCKS, type Span, insertSegment } from './block-directory.ts';
import { blockOf } from './block-row.ts';
import type { Driver } from './driver.ts';
import { insertBlock } from './log-writer.ts';
import type { SalvageTarget } from './salvage-target.ts';
import type { LogInterval } from './store.ts';
import { scan } from './tolerant-scan.ts';

/** Ids that no block gave, and the first ids of the blocks around them. */
export interface Hole {
  readonly ids: LogInterval;
  readonly before: number | null;
  readonly after: number | null;
}

export interface SalvagedLog {
  readonly isComplete: boolean;
  /** Records carried over, under the ids they had. */
  readonly records: number;
  /** Ids between the first and the last carried over that no block gave. */
  readonly missing: number;
  readonly holes: readonly Hole[];
  readonly firstId: number;
  /** First id of the last block; null for an empty log. */
  readonly lastBlock: number | null;
  /** The id that the next entry gets. */
  readonly head: number;
  /** From which id a rebuild of open windows finds everything of the last two days. */
  readonly recentFrom: number;
}

const RECENT_MS = 2 * 86_400_000;

/** Carries over the blocks whose checksum fits; none of the others, as nothing in them may be believed. */
export async function copyLog(from: Driver, to: SalvageTarget): Promise<SalvagedLog> {
  const outcome = { isComplete: true };
  const spans = new Map<number, Span>();
  for await (const rows of scan(from, { name: 'log', key: ['rowid'] }, outcome)) {
    for (const row of rows) {
      const block = blockOf(row);
      const isUsable =
        block.firstId >= 1 && block.count >= 1 && block.count <= MAX_BLOCK_ENTRIES && isBlockWhole(block);
      if (isUsable) {
        spans.set(block.firstId, { ...block, lastId: block.firstId + block.count - 1 });
        await to.put('log', insertBlock(block));
      } else to.refuse('log');
    }
  }
  await to.flush();
  const sorted = [...spans.values()].toSorted((a, b) => a.firstId - b.firstId);
  for (let at = 0; at + SEGMENT_BLOCKS <= sorted.length; at += SEGMENT_BLOCKS) {
    await to.put('segment', insertSegment(sorted.slice(at, at + SEGMENT_BLOCKS)));
  }
  await to.flush();
  return { isComplete: outcome.isComplete, ...summaryOf(sorted) };
}

function summaryOf(spans: readonly Span[]): Omit<SalvagedLog, 'isComplete'> {
  let [records, missing, newestAt] = [0, 0, 0];
  let next = spans[0]?.firstId ?? 1;
  const holes: Hole[] = [];
  for (const [index, { firstId, lastId, maxAt }] of spans.entries()) {
    records += lastId - firstId + 1;
    missing += Math.max(0, firstId - next);
    if (firstId > next)
      holes.push({ ids: { from: next, to: firstId }, before: spans[index - 1]?.firstId ?? null, after: firstId });
    next = Math.max(next, lastId + 1);
    newestAt = Math.max(newestAt, maxAt);
  }
  const recent = spans.find(({ maxAt }) => maxAt >= newestAt - RECENT_MS);
  const ends = { firstId: spans[0]?.firstId ?? 1, lastBlock: spans.at(-1)?.firstId ?? null, head: next };
  return { records, missing, holes, ...ends, recentFrom: recent?.firstId ?? next };
}
