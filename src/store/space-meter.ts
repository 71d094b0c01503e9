import type { Clock } from '../runtime/clock.ts';
import { LEVEL } from './block-level.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { DiskLimit } from './disk-limit.ts';
import { readMeta } from './meta.ts';
import type { SqliteOutbox } from './outbox-store.ts';
import { isDiskFault } from './sqlite-fault.ts';
import type { StoreSpace } from './store.ts';

/** The whole log is looked over for it, without the data of its blocks. */
const MEASURED_EVERY_MS = 600_000;
/** Newest sealed blocks whose size tells what a record takes. */
const NEWEST_BLOCKS = 64;
/** Before there is a sealed block: a little more than one takes. */
const ASSUMED_RECORD_BYTES = 8;
/** A block fills its pages but for a part of the last; and the tree above it. */
const PAGE_SHARE = 1.1;

const layoutOf = (level: number): string => `hex(substr(data, 1, 1)) BETWEEN '${level}0' AND '${level}F'`;
const NEWEST = `SELECT sum(count) AS ids, sum(length(data)) AS bytes FROM
  (SELECT count, data FROM log WHERE ${layoutOf(LEVEL.sealed)} ORDER BY first_id DESC LIMIT ${NEWEST_BLOCKS})`;
const RAW = `SELECT sum(length(data)) AS bytes FROM log WHERE first_id + count <= ?
  AND (${layoutOf(LEVEL.committed)} OR ${layoutOf(LEVEL.sealed)})`;
const KEPT = `SELECT sum(length(body)) AS bytes FROM batch
  WHERE EXISTS (SELECT 1 FROM acknowledgement WHERE acknowledgement.key = batch.key)`;

interface Parts {
  readonly queue: CommitQueue;
  readonly outbox: Pick<SqliteOutbox, 'positions'>;
  readonly limit: DiskLimit;
  readonly clock: Clock;
}

/** How much an outage would find room for: for `cigale status`, not for what is thinned when. */
export class SpaceMeter {
  readonly #parts: Parts;
  #measured: Pick<StoreSpace, 'spareBytes' | 'recordBytes'> | null = null;
  #measuredMs = -Infinity;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async measure(): Promise<StoreSpace | null> {
    const { clock, limit, queue } = this.#parts;
    try {
      if (this.#measured === null || clock.monotonicMs() - this.#measuredMs >= MEASURED_EVERY_MS) {
        this.#measured = { spareBytes: await this.#spareBytes(), recordBytes: await this.#recordBytes() };
        this.#measuredMs = clock.monotonicMs();
      }
      const thinnedSamples = Number((await readMeta(queue, 'thinned_samples')) ?? 0);
      return { ...this.#measured, fullBytes: limit.fullBytes, thinnedSamples };
    } catch (error) {
      // A disk that does not answer must not keep the status from saying so.
      if (!isDiskFault(error)) throw error;
      return null;
    }
  }

  async #recordBytes(): Promise<number> {
    const [row] = await this.#parts.queue.read(NEWEST);
    const ids = Number(row?.['ids'] ?? 0);
    return ids === 0 ? ASSUMED_RECORD_BYTES : (PAGE_SHARE * Number(row?.['bytes'])) / ids;
  }

  async #spareBytes(): Promise<number> {
    const { outbox, queue } = this.#parts;
    const waiting = outbox.positions().flatMap(({ unsealed, unacknowledged }) => [...unsealed, ...unacknowledged]);
    const endId = waiting.reduce((least, { from }) => Math.min(least, from), Number.MAX_SAFE_INTEGER);
    const [raw] = await queue.read(RAW, [endId]);
    const [kept] = await queue.read(KEPT);
    return PAGE_SHARE * (Number(raw?.['bytes'] ?? 0) + Number(kept?.['bytes'] ?? 0));
  }
}
