import type { Log } from '../runtime/log.ts';
import { levelOf } from './block-codec.ts';
import { LEVEL, THINNING } from './block-level.ts';
import type { BlockSealer } from './block-sealer.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Row } from './database.ts';
import type { DiskLimit } from './disk-limit.ts';
import { readMeta } from './meta.ts';
import type { SqliteOutbox } from './outbox-store.ts';
import { waitingStreams, type StreamPosition } from './stream-position.ts';
import type { StoredBlock, Thinner } from './thinner.ts';

const BLOCKS_PER_QUERY = 1000;
/** Turns of a few seconds: a minute. */
const REST_TURNS = 12;
const BLOCKS = `SELECT first_id, count, length(data) AS bytes, hex(substr(data, 1, 1)) AS layout FROM log
  WHERE first_id > ? AND first_id < ? ORDER BY first_id LIMIT ?`;

interface Parts {
  readonly queue: CommitQueue;
  readonly limit: DiskLimit;
  readonly outbox: Pick<SqliteOutbox, 'relieve' | 'positions'>;
  readonly sealer: BlockSealer;
  readonly thinner: Thinner;
  readonly log: Log;
  /** Records from this id on are left as they are, whatever happens: their time may still change. */
  readonly finalBelowId: () => number;
}

/**
 * At the disk limit, makes room in this order, oldest first: batches that were acknowledged and are kept for resending;
 * acknowledged samples, from one a minute to gone; samples that no upstream has, down to one an hour; acknowledged aggregates.
 * What no upstream has and was computed is never touched: then new samples are refused.
 */
export class SpaceKeeper {
  readonly #parts: Parts;
  /** Turns in which the log is not looked over, because the last time nothing in it could go. */
  #rest = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Merges small blocks, as many as wait. */
  async seal(isStopped: () => boolean = () => false): Promise<void> {
    while (!isStopped() && (await this.#sealNext())) continue;
  }

  async relieve(isStopped: () => boolean = () => false): Promise<void> {
    const { limit, log, queue } = this.#parts;
    if (!(await limit.isTight()) && queue.fault !== 'STORE_FULL') return;
    this.#rest = Math.max(0, this.#rest - 1);
    const done = { batches: 0, blocks: 0 };
    let isOutdated = true;
    while (isOutdated) {
      await this.seal(isStopped);
      isOutdated = false;
      for await (const what of this.#sacrifices()) {
        done[what.kind] += what.count;
        if (isStopped() || !(await limit.isAbove())) break;
        // What was sealed meanwhile gained room without a loss, and may be the next to go.
        isOutdated = await this.#sealNext();
        if (isOutdated) break;
      }
    }
    if (done.batches + done.blocks === 0 && this.#rest === 0) this.#rest = REST_TURNS;
    await limit.restoreReserve();
    if (done.batches + done.blocks > 0)
      log.warn(done, 'the store is full: acknowledged batches were deleted early, and samples lost resolution');
    queue.wake();
  }

  #sealNext(): Promise<boolean> {
    return this.#parts.limit.withReserve(() => this.#parts.sealer.sealNext());
  }

  async *#sacrifices(): AsyncGenerator<{ readonly kind: 'batches' | 'blocks'; readonly count: number }> {
    for (;;) {
      const count = await this.#parts.outbox.relieve();
      if (count === 0) break;
      yield { kind: 'batches', count };
    }
    if (this.#rest > 0) return;
    const blocks = await this.#blocks();
    yield* this.#thinAll(blocks, THINNING, true);
    const unacknowledged = THINNING.filter(({ level }) => level !== LEVEL.gone);
    yield* this.#thinAll(blocks, unacknowledged, false);
    // From the beginning of the log without a hole: a salvage takes a hole for a loss.
    for (const block of blocks) {
      const streams = await this.#parts.thinner.streamsOf(block);
      const isAllowed = (waiting: readonly string[]): boolean => !waiting.some((stream) => streams.includes(stream));
      if (block.level !== LEVEL.gone || !(await this.#parts.thinner.drop(block, isAllowed))) break;
      yield { kind: 'blocks', count: 1 };
    }
  }

  async *#thinAll(
    blocks: StoredBlock[],
    steps: typeof THINNING,
    isAcknowledged: boolean,
  ): AsyncGenerator<{ readonly kind: 'blocks'; readonly count: number }> {
    const { thinner } = this.#parts;
    for (const step of steps) {
      for (const [index, block] of blocks.entries()) {
        if (block.level >= step.level || (isAcknowledged && !(await this.#isAcknowledged(block)))) continue;
        const streams = isAcknowledged ? await thinner.streamsOf(block) : [];
        const isAllowed = (waiting: readonly string[]): boolean =>
          !isAcknowledged || !waiting.some((stream) => streams.includes(stream));
        const thinned = await thinner.thin(block, step, isAllowed);
        if (thinned === block) continue;
        blocks[index] = thinned;
        yield { kind: 'blocks', count: 1 };
      }
    }
  }

  /** Whether every stream that selects a record of the block has sealed it. */
  async #isAcknowledged(block: StoredBlock): Promise<boolean> {
    const positions: readonly StreamPosition[] = this.#parts.outbox.positions();
    const waiting = waitingStreams(positions, block);
    if (waiting.length === 0) return true;
    const streams = await this.#parts.thinner.streamsOf(block);
    return !waiting.some((stream) => streams.includes(stream));
  }

  /** Sealed blocks that may lose resolution, ascending: what open windows are rebuilt from is not among them. */
  async #blocks(): Promise<StoredBlock[]> {
    const { queue, sealer, finalBelowId } = this.#parts;
    const cursor = Number((await readMeta(queue, 'aggregate_cursor')) ?? 1);
    const endId = Math.min(await sealer.sealedTo(), cursor, finalBelowId());
    const blocks: StoredBlock[] = [];
    for (let after = 0; ; after = blocks.at(-1)?.firstId ?? after) {
      const rows = await queue.read(BLOCKS, [after, endId, BLOCKS_PER_QUERY]);
      blocks.push(...rows.map(storedOf));
      if (rows.length < BLOCKS_PER_QUERY) break;
    }
    return blocks.filter((block) => block.endId <= endId);
  }
}

function storedOf(row: Row): StoredBlock {
  const firstId = Number(row['first_id']);
  const level = levelOf(Number.parseInt(String(row['layout']), 16));
  return { firstId, endId: firstId + Number(row['count']), level, bytes: Number(row['bytes']) };
}
