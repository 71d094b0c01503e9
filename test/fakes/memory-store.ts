import type { LogEntry, NewEntry } from '../../src/model/record.ts';
import type { LogRange, LogStore, WindowKey, WindowRow, WindowStore } from '../../src/store/store.ts';

const PAGE = 500;

/** What becomes of a write: `lost` and `unanswered` are what a process sees that dies before or after the COMMIT; `hung` never ends. */
export type WriteFate = 'committed' | 'lost' | 'unanswered' | 'hung';

/** Log and windows in memory, with the store's promises; for tests that need to decide what becomes of each write. */
export class MemoryStore implements LogStore, WindowStore {
  readonly entries: LogEntry[] = [];
  readonly writes: { readonly windows: number; readonly cursor: number }[] = [];
  /** Asked before each `writeWindows`. */
  fateOf: () => WriteFate = () => 'committed';
  /** Entries a read may give; below the real blocks, so that readers must page. */
  readLimit = Number.POSITIVE_INFINITY;
  /** When false, commits are not announced: listeners must read, or a test announces them when it wants to. */
  announces = true;
  readonly #windows = new Map<string, WindowRow>();
  readonly #listeners = new Set<(entries: readonly LogEntry[]) => void>();
  #cursor = 1;

  async append(entries: readonly NewEntry[]): Promise<readonly LogEntry[]> {
    await Promise.resolve();
    return this.#commit(entries);
  }

  head(): number {
    return this.entries.length + 1;
  }

  revision(): number {
    return 0;
  }

  async read(from: number, limit: number): Promise<readonly LogEntry[]> {
    await Promise.resolve();
    return this.entries.slice(from - 1, from - 1 + Math.min(limit, this.readLimit));
  }

  async *readRange(range: LogRange): AsyncIterable<readonly LogEntry[]> {
    const found = this.entries.filter((entry) => isIn(entry, range));
    for (let index = 0; index < found.length; index += PAGE) {
      await Promise.resolve();
      yield found.slice(index, index + PAGE);
    }
  }

  onCommitted(listener: (entries: readonly LogEntry[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async aggregateCursor(): Promise<number> {
    await Promise.resolve();
    return this.#cursor;
  }

  async findWindow(key: WindowKey, start: number): Promise<WindowRow | undefined> {
    await Promise.resolve();
    return this.#windows.get(windowId(key, start));
  }

  async writeWindows(
    aggregates: Parameters<WindowStore['writeWindows']>[0],
    cursor: number,
  ): Promise<readonly LogEntry[]> {
    await Promise.resolve();
    const fate = this.fateOf();
    if (fate === 'hung') await new Promise<never>(() => {});
    if (fate === 'lost') throw new Error('the process died before the commit');
    this.#cursor = cursor;
    this.writes.push({ windows: aggregates.length, cursor });
    for (const { aggregate, fingerprint } of aggregates) {
      const { start, revision } = aggregate;
      this.#windows.set(windowId(aggregate, start), { start, revision, fingerprint });
    }
    const entries = this.#commit(aggregates.map(({ aggregate, to }) => ({ record: aggregate, to })));
    if (fate === 'unanswered') throw new Error('the process died after the commit');
    return entries;
  }

  /** Tells the listeners of committed entries. */
  announce(entries: readonly LogEntry[]): void {
    for (const listener of this.#listeners) listener(entries);
  }

  #commit(entries: readonly NewEntry[]): readonly LogEntry[] {
    const committed = entries.map((entry, index) => ({ ...entry, id: this.head() + index }));
    this.entries.push(...committed);
    if (committed.length > 0 && this.announces) this.announce(committed);
    return committed;
  }
}

const windowId = ({ domain, place, channel, quantity, periodMs, part }: WindowKey, start: number): string =>
  [domain, place, channel, quantity, periodMs, part, start].join('\u001f');

function isIn({ id, record }: LogEntry, range: LogRange): boolean {
  if (record.kind === 'gap') return false;
  const instant = record.kind === 'sample' ? record.observedAt : record.start;
  if (instant < range.fromMs || instant >= range.toMs || id <= (range.afterId ?? 0)) return false;
  if (range.kind !== undefined && record.kind !== range.kind) return false;
  return (['place', 'channel', 'quantity'] as const).every(
    (name) => range[name] === undefined || range[name] === record[name],
  );
}
