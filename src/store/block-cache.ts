import type { LogEntry } from '../model/record.ts';

/** Entries of one block in id order; ids in `[firstId, endId)` that it does not hold do not exist. */
export interface CachedBlock {
  readonly firstId: number;
  readonly endId: number;
  readonly entries: readonly LogEntry[];
}

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
  #recent: CachedBlock[] = [];
  #recentEntries = 0;
  /** Oldest use first. */
  #decoded: CachedBlock[] = [];
  #decodedEntries = 0;

  constructor(limits: CacheLimits = DEFAULT_CACHE) {
    this.#limits = limits;
  }

  addCommitted(block: CachedBlock): void {
    if (block.entries.length === 0) return;
    this.#recent.push(block);
    this.#recentEntries += block.entries.length;
    while (this.#recentEntries > this.#limits.recentEntries)
      this.#recentEntries -= this.#recent.shift()?.entries.length ?? 0;
  }

  addDecoded(block: CachedBlock): void {
    if (block.entries.length === 0) return;
    this.#decoded.push(block);
    this.#decodedEntries += block.entries.length;
    while (this.#decodedEntries > this.#limits.decodedEntries)
      this.#decodedEntries -= this.#decoded.shift()?.entries.length ?? 0;
  }

  /** The block was written anew, under the same ids. */
  replace(block: CachedBlock): void {
    const isSame = (other: CachedBlock): boolean => other.firstId === block.firstId;
    const place = this.#recent.findIndex(isSame);
    if (place >= 0) this.#recent[place] = block;
    this.#decoded = this.#decoded.map((other) => (isSame(other) ? block : other));
  }

  /** The block that holds that id. */
  find(id: number): CachedBlock | undefined {
    return this.#findRecent(id) ?? this.#findDecoded(id);
  }

  /** Drops the blocks that hold any id in `[fromId, toId)`: they are not on disk as they were. */
  forget(fromId: number, toId: number): void {
    const isKept = ({ firstId, endId }: CachedBlock): boolean => endId <= fromId || firstId >= toId;
    this.#recent = this.#recent.filter(isKept);
    this.#decoded = this.#decoded.filter(isKept);
    this.#recentEntries = countOf(this.#recent);
    this.#decodedEntries = countOf(this.#decoded);
  }

  #findRecent(id: number): CachedBlock | undefined {
    let low = 0;
    let high = this.#recent.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const block = this.#recent[middle] as CachedBlock;
      if (holds(block, id)) return block;
      if (block.firstId > id) high = middle - 1;
      else low = middle + 1;
    }
    return undefined;
  }

  #findDecoded(id: number): CachedBlock | undefined {
    const found = this.#decoded.find((block) => holds(block, id));
    if (found !== undefined) this.#decoded = [...this.#decoded.filter((block) => block !== found), found];
    return found;
  }
}

const holds = ({ firstId, endId }: CachedBlock, id: number): boolean => id >= firstId && id < endId;
const countOf = (blocks: readonly CachedBlock[]): number =>
  blocks.reduce((sum, { entries }) => sum + entries.length, 0);
