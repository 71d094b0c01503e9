import type { Destination, LogEntry } from '../model/record.ts';
import type { LogStore } from '../store/store.ts';

/** How many entries one read of the log asks for. */
const PAGE = 1000;

interface Waiting {
  readonly entry: LogEntry;
  /** Monotonic; an entry that was read from the log has waited long enough: `-Infinity`. */
  readonly arrivedMs: number;
}

/**
 * The next entries of one destination from a position of the log on, at most `capacity` of them in memory: new ones
 * are offered as they are committed, what did not fit is read from the log when its turn comes.
 */
export class LaneReader {
  readonly #log: Pick<LogStore, 'read'>;
  readonly #destination: Destination;
  readonly #capacity: number;
  #waiting: Waiting[] = [];
  #scannedTo: number;

  constructor(log: Pick<LogStore, 'read'>, destination: Destination, from: number, capacity: number) {
    this.#log = log;
    this.#destination = destination;
    this.#capacity = capacity;
    this.#scannedTo = from;
  }

  /** Entries in memory, in id order. */
  get buffered(): readonly LogEntry[] {
    return this.#waiting.map(({ entry }) => entry);
  }

  get count(): number {
    return this.#waiting.length;
  }

  get oldest(): Waiting | undefined {
    return this.#waiting[0];
  }

  /** Id of the first entry that was not looked at; entries before it are buffered, consumed or not of this destination. */
  get scannedTo(): number {
    return this.#scannedTo;
  }

  /** Everything before it was consumed or is not of this destination. */
  get position(): number {
    return this.#waiting[0]?.entry.id ?? this.#scannedTo;
  }

  /** Takes entries of this destination that directly follow `scannedTo`, up to id `end`; false when they did not all fit. */
  offer(mine: readonly LogEntry[], end: number, arrivedMs: number): boolean {
    const room = this.#capacity - this.#waiting.length;
    for (const entry of mine.slice(0, room)) this.#waiting.push({ entry, arrivedMs });
    this.#scannedTo = mine[room]?.id ?? end;
    return mine.length <= room;
  }

  /** Reads until `wanted` entries are in memory or everything before id `end` was looked at; how many it added. */
  async fill(wanted: number, end: number): Promise<number> {
    const before = this.#waiting.length;
    while (this.#waiting.length < Math.min(wanted, this.#capacity) && this.#scannedTo < end) {
      const page = await this.#log.read(this.#scannedTo, PAGE);
      const within = page.filter(({ id }) => id >= this.#scannedTo && id < end);
      const scanned = page.length === 0 ? end : Math.min(end, (page.at(-1)?.id ?? end) + 1);
      this.offer(
        within.filter(({ to }) => to.includes(this.#destination)),
        scanned,
        -Infinity,
      );
    }
    return this.#waiting.length - before;
  }

  /** Gives up what is in memory: it is to be read again, as the log is not what it was. How many entries that were. */
  reset(): number {
    const { length } = this.#waiting;
    this.#scannedTo = this.position;
    this.#waiting = [];
    return length;
  }

  /** Removes the first `count` entries: they are sealed. */
  consume(count: number): void {
    this.#waiting = this.#waiting.slice(count);
  }
}
