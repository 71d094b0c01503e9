import type { LogEntry } from '../model/record.ts';
import { background } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import { messageOf } from '../runtime/errors.ts';
import type { LogRange, LogStore, OutboxStore, Store, WindowStore } from '../store/store.ts';

const PAGE = 1000;

type Listener = (entries: readonly LogEntry[]) => void;

/** What aggregation and forwarding know of the store. */
export type ReleasedStore = LogStore & WindowStore & OutboxStore & { readonly epoch: string };

/**
 * Keeps records whose time is not known from those who would send or aggregate them: to readers of `released` the log ends at the
 * first of them, and what is released is announced to them like a commit, in id order and without gap.
 */
export class ClockHold {
  readonly released: ReleasedStore;
  readonly #store: Store;
  readonly #log: Log;
  readonly #listeners = new Set<Listener>();
  readonly #unsubscribe: () => void;
  #heldFrom: number;
  /** Id after the last entry that was announced. */
  #announcedTo: number;
  #announcing: Promise<void> | undefined;

  /** `heldFrom`: id of the first record that is held; Infinity: none is. */
  constructor(store: Store, log: Log, heldFrom: number) {
    this.#store = store;
    this.#log = log;
    this.#heldFrom = heldFrom;
    this.#announcedTo = this.#head();
    this.released = releasedView(store, {
      head: () => this.#head(),
      read: (from, limit) => this.#read(from, limit),
      readRange: (range) => this.#readRange(range),
      revision: () => store.revision(),
      onCommitted: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    });
    this.#unsubscribe = store.onCommitted((entries) => this.#committed(entries));
  }

  /** Id of the first record that is held; Infinity: none is. */
  get heldFrom(): number {
    return this.#heldFrom;
  }

  /** Records that wait. */
  get held(): number {
    return Math.max(0, this.#store.head() - this.#heldFrom);
  }

  /** Lets go of what is below that id; Infinity: of all, and of all that comes. */
  releaseTo(heldFrom: number): void {
    if (heldFrom <= this.#heldFrom) return;
    this.#heldFrom = heldFrom;
    this.#announceRest();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    this.#listeners.clear();
    await this.#announcing;
  }

  #head(): number {
    return Math.min(this.#store.head(), this.#heldFrom);
  }

  #committed(entries: readonly LogEntry[]): void {
    const first = entries[0]?.id ?? 0;
    const last = entries.at(-1)?.id ?? 0;
    if (this.#announcing === undefined && first <= this.#announcedTo && last < this.#heldFrom) this.#announce(entries);
    else this.#announceRest();
  }

  #announceRest(): void {
    if (this.#announcing !== undefined || this.#announcedTo >= this.#head()) return;
    this.#announcing = this.#readRest().finally(() => {
      this.#announcing = undefined;
    });
    background(this.#announcing, this.#log, 'released records could not be announced');
  }

  async #readRest(): Promise<void> {
    try {
      while (this.#announcedTo < this.#head() && this.#listeners.size > 0) {
        const head = this.#head();
        const page = (await this.#read(this.#announcedTo, PAGE)).filter(({ id }) => id >= this.#announcedTo);
        if (page.length === 0) this.#announcedTo = head;
        else this.#announce(page);
      }
    } catch (error) {
      // The next commit begins it again.
      this.#log.warn({ error: messageOf(error) }, 'released records could not be read yet');
    }
  }

  #announce(entries: readonly LogEntry[]): void {
    this.#announcedTo = (entries.at(-1)?.id ?? 0) + 1;
    for (const listener of this.#listeners) listener(entries);
  }

  async #read(from: number, limit: number): Promise<readonly LogEntry[]> {
    return below(await this.#store.read(from, limit), this.#heldFrom);
  }

  async *#readRange(range: LogRange): AsyncIterable<readonly LogEntry[]> {
    for await (const page of this.#store.readRange(range)) yield below(page, this.#heldFrom);
  }
}

/** Entries in id order: mostly all, or none. */
const below = (entries: readonly LogEntry[], id: number): readonly LogEntry[] =>
  (entries.at(-1)?.id ?? 0) < id ? entries : entries.filter((entry) => entry.id < id);

function releasedView(store: Store, log: Omit<LogStore, 'append'>): ReleasedStore {
  return {
    ...log,
    epoch: store.epoch,
    append: (entries, urgency) => store.append(entries, urgency),
    aggregateCursor: () => store.aggregateCursor(),
    findWindow: (key, start) => store.findWindow(key, start),
    writeWindows: (aggregates, cursor) => store.writeWindows(aggregates, cursor),
    listStreams: () => store.listStreams(),
    openStream: (stream, nowMs) => store.openStream(stream, nowMs),
    sealBatch: (batch, rest, revision) => store.sealBatch(batch, rest, revision),
    replaceBatch: (replacement) => store.replaceBatch(replacement),
    parkedRecords: (stream, limit) => store.parkedRecords(stream, limit),
    moveStream: (stream, rest) => store.moveStream(stream, rest),
    unacknowledged: (stream, afterSeq, limit) => store.unacknowledged(stream, afterSeq, limit),
    batches: (stream, fromSeq, toSeq, limit) => store.batches(stream, fromSeq, toSeq, limit),
    acknowledge: (stream, seq, atMs) => store.acknowledge(stream, seq, atMs),
    pruneAcknowledged: (beforeMs) => store.pruneAcknowledged(beforeMs),
    dropStream: (stream) => store.dropStream(stream),
  };
}
