import type { LogEntry } from '../model/record.ts';

/** Entries of one block, consecutive ids. */
type Entries = readonly LogEntry[];

/** Entries kept after their commit, and entries of older blocks kept after they were read. */
export interface CacheLimits {
  readonly recentEntries: number;
  readonly decodedEntries: number;
}

export const DEFAULT_CACHE: CacheLimits = { recentEntries: 16_000, decodedEntries: 4_500 };

/**
 * Blocks in memory, so that a consumer near the head never reads the disk: the newest commits, oldest dropped first,
 * and apart from them the few older blocks that were read last.
 */
export class BlockCache {
  readonly #limits: CacheLimits;
  /** Ascending by id. */
  readonly #recent: Entries[] = [];
  #recentEntries = 0;
  /** Oldest use first. */
  #decoded: Entries[] = [];
  #decodedEntries = 0;

  constructor(limits: CacheLimits = DEFAULT_CACHE) {
    this.#limits = limits;
  }

  addCommitted(block: Entries): void {
    if (block.length === 0) return;
    this.#recent.push(block);
    this.#recentEntries += block.length;
    while (this.#recentEntries > this.#limits.recentEntries) this.#recentEntries -= this.#recent.shift()?.length ?? 0;
  }

  addDecoded(block: Entries): void {
    if (block.length === 0) return;
    this.#decoded.push(block);
    this.#decodedEntries += block.length;
    while (this.#decodedEntries > this.#limits.decodedEntries)
      this.#decodedEntries -= this.#decoded.shift()?.length ?? 0;
  }

  /** The block was written anew, under the same ids. */
  replace(block: Entries): void {
    const isSame = (other: Entries): boolean => firstIdOf(other) === firstIdOf(block);
    const place = this.#recent.findIndex(isSame);
    if (place >= 0) this.#recent[place] = block;
    this.#decoded = this.#decoded.map((other) => (isSame(other) ? block : other));
  }

  /** The block that holds that id. */
  find(id: number): Entries | undefined {
    return this.#findRecent(id) ?? this.#findDecoded(id);
  }

  #findRecent(id: number): Entries | undefined {
    let low = 0;
    let high = this.#recent.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const block = this.#recent[middle] as Entries;
      if (holds(block, id)) return block;
      if (firstIdOf(block) > id) high = middle - 1;
      else low = middle + 1;
    }
    return undefined;
  }

  #findDecoded(id: number): Entries | undefined {
    const found = this.#decoded.find((block) => holds(block, id));
    if (found !== undefined) this.#decoded = [...this.#decoded.filter((block) => block !== found), found];
    return found;
  }
}

const firstIdOf = (block: Entries): number => block[0]?.id ?? 0;
const holds = (block: Entries, id: number): boolean => id >= firstIdOf(block) && id < firstIdOf(block) + block.length;
