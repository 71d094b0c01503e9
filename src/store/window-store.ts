import type { LogEntry } from '../model/record.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Statement } from './database.ts';
import { readMeta, writeMeta } from './meta.ts';
import type { WindowKey, WindowRow, WindowStore } from './store.ts';

export const KEEP_WINDOWS_MS = 400 * 86_400_000;
/** Rows of one deletion: no commit waits longer for it. */
const PRUNE_STEP = 1000;

type NewWindows = Parameters<WindowStore['writeWindows']>[0];

const INSERT_SERIES =
  'INSERT OR REPLACE INTO window_series (id, key) SELECT value ->> 0, value ->> 1 FROM json_each(?)';
const INSERT_WINDOWS = `INSERT OR REPLACE INTO window (start, series, revision, fingerprint)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)`;

/**
 * Which windows were written, and how often. The key starts with the window's start, so that a commit touches the newest
 * pages only; the texts of the natural key stand once, in `window_series`.
 */
export class SqliteWindows implements WindowStore {
  readonly #queue: CommitQueue;
  readonly #series = new Map<string, { readonly id: number; isStored: boolean }>();
  #lastSeries = 0;

  constructor(queue: CommitQueue) {
    this.#queue = queue;
  }

  async load(): Promise<void> {
    for (const { id, key } of await this.#queue.read('SELECT id, key FROM window_series')) {
      this.#series.set(String(key), { id: Number(id), isStored: true });
      this.#lastSeries = Math.max(this.#lastSeries, Number(id));
    }
  }

  async aggregateCursor(): Promise<number> {
    return Number((await readMeta(this.#queue, 'aggregate_cursor')) ?? 1);
  }

  async findWindow(key: WindowKey, start: number): Promise<WindowRow | undefined> {
    const series = this.#series.get(seriesText(key));
    if (series === undefined) return undefined;
    const sql = 'SELECT revision, fingerprint FROM window WHERE start = ? AND series = ?';
    const [row] = await this.#queue.read(sql, [start, series.id]);
    return row === undefined
      ? undefined
      : { start, revision: Number(row['revision']), fingerprint: String(row['fingerprint']) };
  }

  async writeWindows(aggregates: NewWindows, cursor: number): Promise<readonly LogEntry[]> {
    const entries = aggregates.map(({ aggregate, to }) => ({ record: aggregate, to }));
    const { statements, isNew } = this.#statements(aggregates);
    const written = await this.#queue.append(
      entries,
      [...statements, writeMeta('aggregate_cursor', String(cursor))],
      'interval',
    );
    for (const series of isNew) series.isStored = true;
    return written;
  }

  /** Deletes windows that started before what is kept, some at a time; how many. */
  async prune(nowMs: number): Promise<number> {
    const beforeMs = nowMs - KEEP_WINDOWS_MS;
    let deleted = 0;
    for (let step = PRUNE_STEP; step === PRUNE_STEP; deleted += step) {
      const sql = 'SELECT start, series FROM window WHERE start < ? ORDER BY start, series LIMIT ?';
      const rows = await this.#queue.read(sql, [beforeMs, PRUNE_STEP]);
      const last = rows.at(-1);
      step = rows.length;
      if (last !== undefined)
        await this.#queue.writeApart([deleteThrough(Number(last['start']), Number(last['series']))]);
    }
    return deleted;
  }

  #statements(aggregates: NewWindows): { statements: Statement[]; isNew: readonly { isStored: boolean }[] } {
    const rows: (string | number)[][] = [];
    const fresh = new Map<string, { readonly id: number; isStored: boolean }>();
    for (const { aggregate, fingerprint } of aggregates) {
      const text = seriesText(aggregate);
      const series = this.#seriesOf(text);
      if (!series.isStored) fresh.set(text, series);
      rows.push([aggregate.start, series.id, aggregate.revision, fingerprint]);
    }
    const statements: Statement[] = [];
    if (fresh.size > 0) {
      const params = [JSON.stringify([...fresh].map(([text, { id }]) => [id, text]))];
      statements.push({ sql: INSERT_SERIES, params });
    }
    if (rows.length > 0) statements.push({ sql: INSERT_WINDOWS, params: [JSON.stringify(rows)] });
    return { statements, isNew: [...fresh.values()] };
  }

  #seriesOf(text: string): { readonly id: number; isStored: boolean } {
    let series = this.#series.get(text);
    if (series === undefined) {
      series = { id: ++this.#lastSeries, isStored: false };
      this.#series.set(text, series);
    }
    return series;
  }
}

/** The natural key as one text, without ambiguity. */
const seriesText = ({ domain, place, channel, quantity, periodMs, part }: WindowKey): string =>
  JSON.stringify([domain, place, channel, quantity, periodMs, part]);

const deleteThrough = (start: number, series: number): Statement => ({
  sql: 'DELETE FROM window WHERE start < ? OR (start = ? AND series <= ?)',
  params: [start, start, series],
});
