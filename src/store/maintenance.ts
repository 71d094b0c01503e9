import { type Clock, type Timer, every } from '../runtime/clock.ts';
import { background } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Driver } from './driver.ts';
import type { SqliteOutbox } from './outbox-store.ts';
import type { SpaceKeeper } from './space-keeper.ts';
import type { SqliteUplinks } from './uplink-store.ts';
import type { SqliteWindows } from './window-store.ts';

const PERIOD_MS = 3_600_000;
/** When the file gets full, room is made this often. */
const RELIEF_PERIOD_MS = 5000;
/** Small blocks are merged this often. */
const SEAL_PERIOD_MS = 60_000;
/** Free pages are given back to the disk when they are more than this share of the file. */
const MAX_FREE_SHARE = 0.25;
const VACUUM_PAGES = 1024;
const VACUUM_STEPS = 16;

interface Parts {
  readonly driver: Driver;
  readonly queue: CommitQueue;
  readonly uplinks: SqliteUplinks;
  readonly windows: SqliteWindows;
  readonly outbox: SqliteOutbox;
  readonly space: SpaceKeeper;
  readonly clock: Clock;
  readonly log: Log;
}

/** In small steps: merges small blocks, makes room at the disk limit, deletes what is kept no longer, gives free pages back. */
export class Maintenance {
  readonly #parts: Parts;
  #timers: readonly Timer[] = [];
  #running: Promise<void> | undefined;
  /** Of blocks: two at a time would work on the same ones. */
  #onBlocks: Promise<void> | undefined;
  #isStopped = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  start(): void {
    const { clock, log } = this.#parts;
    if (this.#timers.length > 0) return;
    this.#timers = [
      every(clock, PERIOD_MS, () => background(this.run(), log, 'the maintenance of the store failed')),
      every(clock, SEAL_PERIOD_MS, () => background(this.seal(), log, 'blocks could not be sealed')),
      every(clock, RELIEF_PERIOD_MS, () => background(this.relieve(), log, 'no room could be made in the full store')),
    ];
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#timers) timer.cancel();
    // Whoever started it gets its failure.
    await Promise.allSettled([this.#running, this.#onBlocks]);
  }

  /** Makes room when the store is nearly at its limit. */
  relieve(): Promise<void> {
    return this.#workOnBlocks((isStopped) => this.#parts.space.relieve(isStopped));
  }

  seal(): Promise<void> {
    return this.#workOnBlocks((isStopped) => this.#parts.space.seal(isStopped));
  }

  /** What is asked for while something else is under way is left out: it comes again. */
  #workOnBlocks(work: (isStopped: () => boolean) => Promise<void>): Promise<void> {
    this.#onBlocks ??= work(() => this.#isStopped).finally(() => {
      this.#onBlocks = undefined;
    });
    return this.#onBlocks;
  }

  /** A run that is asked for while one runs is that one. */
  run(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    const { clock, log, outbox, uplinks, windows } = this.#parts;
    const nowMs = clock.nowMs();
    const deletedUplinks = await uplinks.prune(nowMs);
    const deletedWindows = await windows.prune(nowMs);
    await outbox.pruneDropped();
    await this.#shrink();
    log.debug({ deletedUplinks, deletedWindows }, 'the store was maintained');
  }

  async #shrink(): Promise<void> {
    for (let step = 0; step < VACUUM_STEPS && !this.#isStopped; step += 1) {
      const { pages, freePages } = await readSize(this.#parts.driver);
      if (freePages <= pages * MAX_FREE_SHARE || freePages < VACUUM_PAGES) return;
      await this.#parts.driver.read(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
    }
  }
}

export interface FileSize {
  readonly pages: number;
  readonly freePages: number;
  readonly pageSizeBytes: number;
}

export async function readSize(driver: Driver): Promise<FileSize> {
  const value = async (name: string): Promise<number> => Number((await driver.read(`PRAGMA ${name}`))[0]?.[name]);
  return {
    pages: await value('page_count'),
    freePages: await value('freelist_count'),
    pageSizeBytes: await value('page_size'),
  };
}
