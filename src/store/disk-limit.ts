import type { StoreStatus } from './store.ts';
import { readSize } from './maintenance.ts';
import type { ReopeningDriver } from './reopening-driver.ts';
import { isDiskFault } from './sqlite-fault.ts';

/** SQLITE_MAX_PAGE_COUNT of the documentation: no limit of ours. */
const NO_LIMIT_PAGES = 4_294_967_294;
const MEGABYTE = 1024 * 1024;

/**
 * Our own quota on the file, below the disk's end: a file that is full by quota still takes deletions, a full disk does
 * not even take those.
 */
export class DiskLimit {
  readonly #driver: ReopeningDriver;
  #limitBytes: number | null = null;
  /** As last read. */
  #usedBytes = 0;

  constructor(driver: ReopeningDriver) {
    this.#driver = driver;
  }

  async set(megabytes: number | null): Promise<void> {
    const { pageSizeBytes } = await readSize(this.#driver);
    const pages = megabytes === null ? NO_LIMIT_PAGES : Math.max(1, Math.floor((megabytes * MEGABYTE) / pageSizeBytes));
    await this.#driver.set('max_page_count', pages);
    this.#limitBytes = megabytes === null ? null : megabytes * MEGABYTE;
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
}
