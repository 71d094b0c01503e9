import type { LogEntry } from '../model/record.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { BlockCache } from './block-cache.ts';
import { type Block, decodeBlock, encodeSealedBlock } from './block-codec.ts';
import { LEVEL, type Level } from './block-level.ts';
import { blockOf } from './block-row.ts';
import { deleteBlocks } from './block-sealer.ts';
import type { BlockStreams } from './block-streams.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Statement } from './database.ts';
import type { DiskLimit } from './disk-limit.ts';
import { insertBlock } from './log-writer.ts';
import { readMeta, writeMeta } from './meta.ts';
import { type StreamPosition, isHeld, sideOf, waitingStreams } from './stream-position.ts';
import { thin } from './thinning.ts';
import type { ThinningGate } from './thinning-gate.ts';

export interface ThinnerParts {
  readonly queue: CommitQueue;
  readonly cache: BlockCache;
  readonly gate: ThinningGate;
  readonly streams: BlockStreams;
  readonly limit: DiskLimit;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly positions: () => readonly StreamPosition[];
}

/** A row of the log without its data. */
export interface StoredBlock {
  readonly firstId: number;
  readonly endId: number;
  readonly level: Level;
  readonly bytes: number;
}

export const LEVEL_NAMES: Readonly<Record<Level, string>> = {
  [LEVEL.committed]: 'raw',
  [LEVEL.sealed]: 'raw',
  [LEVEL.minute]: '1m',
  [LEVEL.quarter]: '15m',
  [LEVEL.hour]: '1h',
  [LEVEL.gone]: 'gone',
};

/** Takes resolution from one block at a time, in one transaction each; what it took is counted with it. */
export class Thinner {
  readonly #parts: ThinnerParts;
  #thinnedSamples: number | undefined;

  constructor(parts: ThinnerParts) {
    this.#parts = parts;
  }

  /** Samples that lost their resolution or were dropped since the store was made. */
  async thinnedSamples(): Promise<number> {
    this.#thinnedSamples ??= Number((await readMeta(this.#parts.queue, 'thinned_samples')) ?? 0);
    return this.#thinnedSamples;
  }

  /** Streams that the records of a block go to. */
  async streamsOf({ firstId }: StoredBlock): Promise<readonly string[]> {
    const known = this.#parts.streams.find(firstId);
    if (known !== undefined) return known;
    const block = await this.#read(firstId);
    return this.#parts.streams.note(firstId, (block && decodeBlock(block)) ?? []);
  }

  /** Brings a block to a level; `isAllowed` is asked with the streams that have not sealed all of it. What it is now. */
  async thin(
    stored: StoredBlock,
    step: { readonly level: Level; readonly periodMs: number | null },
    isAllowed: (waiting: readonly string[]) => boolean,
  ): Promise<StoredBlock> {
    const before = await this.thinnedSamples();
    let result = stored;
    await this.#replace(stored, isAllowed, async (block, entries, positions) => {
      const { firstId, count } = block;
      const side = (entry: LogEntry): string => sideOf(positions, entry);
      const { entries: left, samples } = thin(entries, step.periodMs, side);
      const thinned = encodeSealedBlock({ firstId, count }, left, step.level);
      const counted = writeMeta('thinned_samples', String(before + samples));
      await this.#write([insertBlock(thinned), widenSegment(thinned), counted]);
      result = { ...stored, level: step.level, bytes: thinned.data.byteLength };
      this.#parts.streams.note(firstId, left);
      this.#count(samples, step.level);
    });
    return result;
  }

  /** Deletes a block whole, computed aggregates too; false when it may not. */
  async drop(stored: StoredBlock, isAllowed: (waiting: readonly string[]) => boolean): Promise<boolean> {
    let isDropped = false;
    await this.#replace(stored, isAllowed, async (block, entries) => {
      await this.#write([deleteBlocks(block.firstId, block.firstId)]);
      const help = 'Acknowledged records that were deleted at the disk limit, computed aggregates among them.';
      this.#parts.metrics.count('cigale_store_dropped_records_total', help, {}, entries.length);
      this.#parts.streams.forget(block.firstId);
      isDropped = true;
    });
    return isDropped;
  }

  async #replace(
    stored: StoredBlock,
    isAllowed: (waiting: readonly string[]) => boolean,
    replace: (block: Block, entries: readonly LogEntry[], positions: readonly StreamPosition[]) => Promise<void>,
  ): Promise<void> {
    const { cache, gate } = this.#parts;
    await gate.run(async () => {
      const positions = this.#parts.positions();
      const waiting = waitingStreams(positions, stored);
      const isUntouched = { isUnsealed: false };
      if (isHeld(positions, stored) || !isAllowed(waiting)) return isUntouched;
      const block = await this.#read(stored.firstId);
      const entries = block === undefined ? undefined : decodeBlock(block);
      if (block === undefined || entries === undefined) return isUntouched;
      try {
        await replace(block, entries, positions);
      } finally {
        cache.forget(stored.firstId, stored.endId);
      }
      return { isUnsealed: waiting.length > 0 };
    });
  }

  async #write(statements: readonly Statement[]): Promise<void> {
    this.#thinnedSamples = undefined;
    await this.#parts.limit.withReserve(() => this.#parts.queue.transact(statements));
  }

  async #read(firstId: number): Promise<Block | undefined> {
    const [row] = await this.#parts.queue.read('SELECT * FROM log WHERE first_id = ?', [firstId]);
    return row === undefined ? undefined : blockOf(row);
  }

  #count(samples: number, level: Level): void {
    const help = 'Samples that lost resolution at the disk limit, by what is left of them; each is counted once.';
    if (samples > 0)
      this.#parts.metrics.count('cigale_store_thinned_samples_total', help, { to: LEVEL_NAMES[level] }, samples);
  }
}

/** A thinned record begins with its first sample, which is before that sample was observed. */
const widenSegment = ({ firstId, count, minAt, maxAt }: Block): Statement => ({
  sql: `UPDATE segment SET min_at = min(min_at, ?), max_at = max(max_at, ?)
    WHERE first_id <= ? AND last_id >= ?`,
  params: [minAt, maxAt, firstId + count - 1, firstId],
});
