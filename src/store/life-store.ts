import type { CommitQueue } from './commit-queue.ts';
import { deleteMeta, readMeta, writeMeta } from './meta.ts';
import type { LifeStore } from './store.ts';

/** What the store knows of the gateway's life and of its own. */
export class SqliteLife implements LifeStore {
  readonly #queue: CommitQueue;

  constructor(queue: CommitQueue) {
    this.#queue = queue;
  }

  async aliveAt(): Promise<number | undefined> {
    return this.#instant('alive_at');
  }

  async saveAliveAt(atMs: number): Promise<void> {
    await this.#queue.write([writeMeta('alive_at', String(atMs))]);
  }

  async lostSince(): Promise<number | undefined> {
    return this.#instant('lost_since');
  }

  async forgetLost(): Promise<void> {
    await this.#queue.write([deleteMeta('lost_since')], 'now');
  }

  async #instant(key: 'alive_at' | 'lost_since'): Promise<number | undefined> {
    const text = await readMeta(this.#queue, key);
    return text === undefined ? undefined : Number(text);
  }
}
