import type { LogEntry } from '../model/record.ts';
import type { LogStore, WindowStore } from '../store/store.ts';
import type { AggregateMetrics } from './aggregate-metrics.ts';
import { closingOf, type Draft } from './closing.ts';
import type { OpenWindow } from './open-window.ts';
import type { OpenWindows } from './open-windows.ts';

/** Windows looked up at a time and written in one transaction. */
const MAX_TOGETHER = 4000;
/** With nothing to write, the position is stored when it has moved by that many entries: it only shortens the next start. */
const CURSOR_STEP = 10_000;

/** Told of aggregates that are on disk, by the node of their rule. Must not throw. */
export type WrittenListener = (node: string, entries: readonly LogEntry[]) => void;

const RULE = 'rule:';

/** Closes windows: writes what differs from what stands, many in one transaction with the position from which the rest can be rebuilt. */
export class WindowWriter {
  readonly #store: LogStore & WindowStore;
  readonly #windows: OpenWindows;
  readonly #metrics: AggregateMetrics;
  readonly #onWritten: WrittenListener;
  #storedCursor = 1;

  constructor(
    store: LogStore & WindowStore,
    windows: OpenWindows,
    metrics: AggregateMetrics,
    onWritten: WrittenListener,
  ) {
    this.#store = store;
    this.#windows = windows;
    this.#metrics = metrics;
    this.#onWritten = onWritten;
  }

  /** The position that is stored now. */
  resumeAt(cursor: number): void {
    this.#storedCursor = cursor;
  }

  /** `position`: id of the next entry to feed. A window leaves memory only when what it holds stands on disk. */
  async close(due: readonly OpenWindow[], position: number): Promise<void> {
    let waiting = due;
    do {
      const { together, later } = batchOf(waiting);
      const drafts = await this.#drafts(together);
      await this.#write(drafts, this.#windows.firstIdWithout(new Set(together)) ?? position);
      for (const open of together) this.#windows.remove(open);
      waiting = later;
    } while (waiting.length > 0);
  }

  async #drafts(together: readonly OpenWindow[]): Promise<Draft[]> {
    const belongs = this.#windows.belongs.bind(this.#windows);
    const written = await Promise.all(together.map(({ window }) => this.#store.findWindow(window.key, window.start)));
    const drafts: Draft[] = [];
    for (const [index, open] of together.entries()) {
      // One after the other: each may read a day of the log.
      const closing = await closingOf(open, written[index], this.#store, belongs);
      if (closing === 'samples-gone') this.#metrics.refused();
      else if (closing !== 'unchanged') drafts.push(closing);
    }
    return drafts;
  }

  async #write(drafts: readonly Draft[], cursor: number): Promise<void> {
    if (drafts.length === 0 && cursor < this.#storedCursor + CURSOR_STEP) return;
    const entries = await this.#store.writeWindows(drafts, cursor);
    this.#storedCursor = cursor;
    for (const { aggregate } of drafts) this.#metrics.written(aggregate);
    const byRule = Map.groupBy(entries, (_entry, index) => drafts[index]?.rule ?? RULE);
    for (const [rule, written] of byRule) this.#onWritten(rule.slice(RULE.length), written);
  }
}

/**
 * What is written together: not too much, and no window twice. (The same window is open twice when its rule was removed and
 * drawn again at once: the second is then a revision of the first.)
 */
function batchOf(due: readonly OpenWindow[]): { together: OpenWindow[]; later: OpenWindow[] } {
  const together: OpenWindow[] = [];
  const later: OpenWindow[] = [];
  const keys = new Set<string>();
  for (const open of due) {
    const key = Object.values({ ...open.window.key, start: open.window.start }).join('\u001f');
    if (together.length === MAX_TOGETHER || keys.has(key)) later.push(open);
    else {
      keys.add(key);
      together.push(open);
    }
  }
  return { together, later };
}
