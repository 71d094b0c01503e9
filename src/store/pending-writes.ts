export interface QueueLimits {
  /** What may wait for its COMMIT, the running one included; beyond either, writes are refused. */
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** What one transaction takes at most, so that a long queue does not become one long transaction. */
  readonly maxCommitRecords: number;
  readonly maxCommitBytes: number;
}

export const DEFAULT_LIMITS: QueueLimits = {
  maxRecords: 200_000,
  maxBytes: 64 * 1024 * 1024,
  maxCommitRecords: 16_384,
  maxCommitBytes: 8 * 1024 * 1024,
};

export interface Size {
  readonly records: number;
  readonly bytes: number;
}

/** Writes in order of arrival, bounded by records and bytes; what is being committed still counts. */
export class PendingWrites<Write> {
  readonly #limits: QueueLimits;
  #waiting: { readonly write: Write; readonly size: Size }[] = [];
  #total: Size = { records: 0, bytes: 0 };

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get records(): number {
    return this.#total.records;
  }

  get bytes(): number {
    return this.#total.bytes;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** False when there is no room; an empty queue takes one write of any size. */
  add(write: Write, size: Size): boolean {
    const total = sum(this.#total, size);
    const isOver = total.records > this.#limits.maxRecords || total.bytes > this.#limits.maxBytes;
    if (isOver && this.#total.records > 0) return false;
    this.#waiting.push({ write, size });
    this.#total = total;
    return true;
  }

  /** The writes of the next transaction, at least one of those that wait. */
  take(): { readonly writes: readonly Write[]; readonly hasMore: boolean } {
    const { maxCommitRecords, maxCommitBytes } = this.#limits;
    let size: Size = { records: 0, bytes: 0 };
    let end = 0;
    for (const { size: next } of this.#waiting) {
      const grown = sum(size, next);
      if (end > 0 && (grown.records > maxCommitRecords || grown.bytes > maxCommitBytes)) break;
      size = grown;
      end += 1;
    }
    const writes = this.#waiting.slice(0, end).map(({ write }) => write);
    this.#waiting = this.#waiting.slice(end);
    return { writes, hasMore: this.#waiting.length > 0 };
  }

  /** A write of that size has been settled. */
  release(size: Size): void {
    this.#total = { records: this.#total.records - size.records, bytes: this.#total.bytes - size.bytes };
  }
}

const sum = (a: Size, b: Size): Size => ({ records: a.records + b.records, bytes: a.bytes + b.bytes });
