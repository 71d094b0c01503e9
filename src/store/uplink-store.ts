import type { StoredUplink, Uplink } from '../model/frame.ts';
import type { LogEntry } from '../model/record.ts';
import type { CommitQueue } from './commit-queue.ts';
import { HeardFrames, MAX_HEARD_FRAMES } from './heard-frames.ts';
import { readMeta, writeMeta } from './meta.ts';
import type { UplinkOutcome, UplinkStore, Urgency } from './store.ts';
import { insertUplink, upsertCounter, uplinkOf } from './uplink-row.ts';

export const KEEP_UPLINKS_MS = 7 * 86_400_000;
export const MAX_UPLINKS = 200_000;
/** Rows of one deletion: no commit waits longer for it. */
const PRUNE_STEP = 500;
/** Uplinks handed out at start in one list; more than this undecoded would be a decoder that never worked. */
const MAX_UNDECODED = 100_000;

/** Raw frames on disk: accepted before they are decoded, and kept for a while after. */
export class SqliteUplinks implements UplinkStore {
  readonly #queue: CommitQueue;
  readonly #heard = new HeardFrames();
  /** Ids given and not yet completed, those among them that still wait for their commit. */
  readonly #undecoded = new Set<number>();
  readonly #completing = new Set<number>();
  #nextId = 1;

  constructor(queue: CommitQueue) {
    this.#queue = queue;
  }

  async load(): Promise<void> {
    const newest = await this.#queue.read('SELECT * FROM uplink ORDER BY id DESC LIMIT ?', [MAX_HEARD_FRAMES]);
    for (const row of newest.toReversed()) this.#heard.add(uplinkOf(row), Promise.resolve());
    const undecodedFrom = await this.#undecodedFrom();
    const nextId = Number((await readMeta(this.#queue, 'uplink_next_id')) ?? 1);
    this.#nextId = Math.max(Number(newest[0]?.['id'] ?? 0) + 1, nextId);
    const ids = await this.#queue.read('SELECT id FROM uplink WHERE id >= ? AND result IS NULL', [undecodedFrom]);
    for (const { id } of ids) this.#undecoded.add(Number(id));
  }

  async acceptUplink(uplink: Uplink, urgency: Urgency): Promise<StoredUplink | 'duplicate'> {
    for (let heard = this.#heard.find(uplink); heard !== undefined; heard = this.#heard.find(uplink)) {
      // A duplicate is only one when the first is safe: an answer to it confirms the frame to the device.
      if (await isFulfilled(heard.stored)) return 'duplicate';
    }
    const stored: StoredUplink = { ...uplink, id: this.#nextId++ };
    const counter = upsertCounter(uplink.device, uplink.devAddr, uplink.fCnt + 1);
    const written = this.#queue.append([], [insertUplink(stored), counter], urgency);
    this.#heard.add(uplink, written);
    this.#undecoded.add(stored.id);
    try {
      await written;
    } catch (error) {
      this.#heard.forget(uplink, written);
      this.#undecoded.delete(stored.id);
      throw error;
    }
    return stored;
  }

  async undecodedUplinks(): Promise<readonly StoredUplink[]> {
    const rows = await this.#queue.read('SELECT * FROM uplink WHERE id >= ? AND result IS NULL ORDER BY id LIMIT ?', [
      await this.#undecodedFrom(),
      MAX_UNDECODED,
    ]);
    return rows.map(uplinkOf);
  }

  async completeUplink(id: number, outcome: UplinkOutcome): Promise<readonly LogEntry[]> {
    // Completed before, or never accepted: its records must not enter twice.
    if (!this.#undecoded.has(id) || this.#completing.has(id)) return [];
    this.#completing.add(id);
    const mark = { sql: 'UPDATE uplink SET result = ? WHERE id = ?', params: [outcome.result, id] };
    try {
      const entries = await this.#queue.append(outcome.entries, [mark], 'interval');
      this.#undecoded.delete(id);
      return entries;
    } finally {
      this.#completing.delete(id);
    }
  }

  /** Deletes decoded uplinks that are older or more than what is kept, some at a time; how many. */
  async prune(nowMs: number): Promise<number> {
    await this.#queue.writeApart([
      writeMeta('uplink_undecoded_from', String(this.#firstUndecoded())),
      // What is deleted below must not let ids start again under the position above.
      writeMeta('uplink_next_id', String(this.#nextId)),
    ]);
    let deleted = 0;
    for (let step = PRUNE_STEP; step === PRUNE_STEP; deleted += step) {
      const ids = await this.#prunable(nowMs);
      step = ids.length;
      if (step > 0) await this.#queue.writeApart([deleteUplinks(ids)]);
    }
    return deleted;
  }

  async #prunable(nowMs: number): Promise<readonly number[]> {
    const rows = await this.#queue.read(
      `SELECT id FROM (SELECT id, result, received_at FROM uplink ORDER BY id LIMIT ?)
        WHERE result IS NOT NULL AND (received_at < ? OR id < ?) ORDER BY id LIMIT ?`,
      [2 * PRUNE_STEP, nowMs - KEEP_UPLINKS_MS, this.#nextId - MAX_UPLINKS, PRUNE_STEP],
    );
    return rows.map(({ id }) => Number(id));
  }

  /** Every uplink below is decoded and on disk as such. Kept now and then, so that a start does not read them all. */
  #firstUndecoded(): number {
    let first = this.#nextId;
    for (const id of this.#undecoded) first = Math.min(first, id);
    return first;
  }

  async #undecodedFrom(): Promise<number> {
    return Number((await readMeta(this.#queue, 'uplink_undecoded_from')) ?? 1);
  }
}

const deleteUplinks = (ids: readonly number[]) => ({
  sql: 'DELETE FROM uplink WHERE id IN (SELECT value FROM json_each(?))',
  params: [JSON.stringify(ids)],
});

const isFulfilled = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => true,
    () => false,
  );
