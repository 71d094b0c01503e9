import type { StoreStatus } from './store.ts';
import { readSize } from './maintenance.ts';
import type { ReopeningDriver } from './reopening-driver.ts';
import { isDiskFault } from './sqlite-fault.ts';

/** SQLITE_MAX_PAGE_COUNT of the documentation: no limit of ours. */
const NO_LIMIT_PAGES = 4_294_967_294;
const MEGABYTE = 1024 * 1024;
/** Shares of the limit: ordinary writes end at the first; room is made from the second on, until the third is reached. */
const ORDINARY = 15 / 16;
const TIGHT = 14 / 16;
const RELIEVED = 13 / 16;

/**
 * Our own quota on the file, below the disk's end: a file that is full by quota still takes deletions, a full disk does
 * not even take those. A sixteenth of it is a reserve for what makes room: thinning, and the sealing and acknowledging of batches.
 */
export class DiskLimit {
  readonly #driver: ReopeningDriver;
  #limitBytes: number | null = null;
  #limitPages: number | null = null;
  #lifted = 0;
  /** As last read. */
  #usedBytes = 0;

  constructor(driver: ReopeningDriver) {
    this.#driver = driver;
  }

  async set(megabytes: number | null): Promise<void> {
    const { pageSizeBytes } = await readSize(this.#driver);
    this.#limitBytes = megabytes === null ? null : megabytes * MEGABYTE;
    this.#limitPages = megabytes === null ? null : Math.max(1, Math.floor((megabytes * MEGABYTE) / pageSizeBytes));
    await this.#apply();
  }

  /** Runs a write that may use the reserve. */
  async withReserve<T>(write: () => Promise<T>): Promise<T> {
    if (this.#limitPages === null) return write();
    this.#lifted += 1;
    try {
      if (this.#lifted === 1) await this.#apply();
      return await write();
    } finally {
      this.#lifted -= 1;
      if (this.#lifted === 0) await this.#apply();
    }
  }

  /** Up to where nothing loses resolution; null without a limit. */
  get fullBytes(): number | null {
    return this.#limitBytes === null ? null : this.#limitBytes * TIGHT;
  }

  /** Whether it is time to make room. */
  isTight(): Promise<boolean> {
    return this.#isOver(TIGHT);
  }

  /** Whether room that is being made is not enough yet. */
  isAbove(): Promise<boolean> {
    return this.#isOver(RELIEVED);
  }

  /** Free pages beyond the ordinary limit go back to the disk, so that ordinary writes do not fill them. */
  async restoreReserve(): Promise<void> {
    if (this.#limitPages === null) return;
    const { pages, freePages } = await readSize(this.#driver);
    const excess = Math.min(freePages, pages - Math.floor(this.#limitPages * ORDINARY));
    if (excess > 0) await this.#driver.read(`PRAGMA incremental_vacuum(${excess})`);
    await this.#apply();
  }

  /** Pages in use; free pages inside the file are room. */
  async usage(): Promise<Pick<StoreStatus, 'bytes' | 'limitBytes'>> {
    try {
      const { pages, freePages, pageSizeBytes } = await readSize(this.#driver);
      this.#usedBytes = (pages - freePages) * pageSizeBytes;
    } catch (error) {
      // A disk that does not answer must not keep the status from saying so.
      if (!isDiskFault(error)) throw error;
    }
    return { bytes: this.#usedBytes, limitBytes: this.#limitBytes };
  }

  async #isOver(share: number): Promise<boolean> {
    if (this.#limitPages === null) return false;
    const { pages, freePages } = await readSize(this.#driver);
    return pages - freePages > this.#limitPages * share;
  }

  async #apply(): Promise<void> {
    const pages = this.#limitPages;
    const ordinary = pages === null ? NO_LIMIT_PAGES : Math.max(1, Math.floor(pages * ORDINARY));
    await this.#driver.set('max_page_count', this.#lifted > 0 && pages !== null ? pages : ordinary);
  }
}
