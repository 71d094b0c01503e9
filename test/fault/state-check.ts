import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { LogEntry } from '../../src/model/record.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { type Block, decodeBlock } from '../../src/store/block-codec.ts';
import { blockOf } from '../../src/store/block-row.ts';
import type { Row } from '../../src/store/database.ts';
import { openStore } from '../../src/store/sqlite-store.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { sample } from '../store/records.ts';
import { STORE_FILES } from './disk-log.ts';

/** Opening a state with the whole store costs more than looking into it: one of so many. */
const REOPEN_EVERY = 10;

/** Holds the states of a disk against what had been called accepted by then. */
export class StateCheck {
  readonly #folder: string;
  /** Greatest id that the gateway had reported. */
  #acceptedThrough = 0;
  /** Samples and uplinks that the store alone had reported, by number. */
  readonly #samples: number[] = [];
  readonly #uplinks: number[] = [];
  readonly #decoded = new Map<string, readonly LogEntry[]>();
  #checked = 0;
  readonly failures: string[] = [];
  marks = 0;
  reopened = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** `s NUMBER` and `u NUMBER` of the store's writer, or a bare id of the gateway. */
  mark(text: string): void {
    for (const [, kind, number] of text.matchAll(/^([su] )?(\d+)$/gm)) {
      this.marks += 1;
      if (kind === 's ') this.#samples.push(Number(number));
      else if (kind === 'u ') this.#uplinks.push(Number(number));
      else this.#acceptedThrough = Math.max(this.#acceptedThrough, Number(number));
    }
  }

  async check(files: readonly (Buffer | undefined)[], name: string): Promise<void> {
    rmSync(this.#folder, { recursive: true, force: true });
    mkdirSync(this.#folder, { mode: 0o700 });
    for (const [index, content] of files.entries())
      if (content !== undefined) writeFileSync(join(this.#folder, STORE_FILES[index] ?? ''), content);
    this.#checked += 1;
    try {
      const head = this.#checked % REOPEN_EVERY === 0 ? await this.#reopen() : undefined;
      this.#look(name, head);
    } catch (error) {
      this.failures.push(`${name}: ${String(error)}`);
    }
  }

  /** Head of the log as the store itself finds it. */
  async #reopen(): Promise<number> {
    const deps = { clock: systemClock, log: memoryLog(), metrics: new Metrics(), random: Math.random };
    const store = await openStore({ dataDir: this.#folder, ...deps });
    const head = store.head();
    await store.stop();
    this.reopened += 1;
    // Nothing is damaged by a power cut: a store that believes so would begin a new epoch for nothing.
    if (readdirSync(this.#folder).some((name) => name.startsWith('damaged'))) throw new Error('the store was salvaged');
    return head;
  }

  #look(name: string, head: number | undefined): void {
    const database = new DatabaseSync(join(this.#folder, 'cigale.db'));
    const fail = (text: string): void => void this.failures.push(`${name}: ${text}`);
    try {
      const check = database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
      if (check !== 'ok') fail(String(check));
      const rows = database.prepare('SELECT * FROM log ORDER BY first_id').all() as Row[];
      const entries = rows.flatMap((row) => this.#entriesOf(blockOf(row), fail));
      if (entries.some(({ id }, index) => id !== index + 1)) fail('the ids of the log have a gap');
      if (head !== undefined && head !== entries.length + 1) fail(`the store's head is ${head} of ${entries.length}`);
      if (entries.length < this.#acceptedThrough)
        fail(`accepted through ${this.#acceptedThrough}, on disk through ${entries.length}`);
      if (this.#samples.length > 0) this.#lookForNumbers(database, entries, fail);
    } finally {
      database.close();
    }
  }

  #lookForNumbers(database: DatabaseSync, entries: readonly LogEntry[], fail: (text: string) => void): void {
    const first = sample(0).observedAt;
    const kept = new Set(
      entries.map(({ record }) => (record.kind === 'sample' ? (record.observedAt - first) / 1000 : -1)),
    );
    if (kept.size !== entries.length) fail(`${entries.length - kept.size} samples are there twice`);
    const lost = this.#samples.filter((number) => !kept.has(number)).length;
    if (lost > 0) fail(`${lost} of ${this.#samples.length} accepted samples are lost`);
    const uplinks = new Set(
      database
        .prepare('SELECT f_cnt FROM uplink')
        .all()
        .map((row) => Number(row['f_cnt'])),
    );
    const lostUplinks = this.#uplinks.filter((number) => !uplinks.has(number)).length;
    if (lostUplinks > 0) fail(`${lostUplinks} of ${this.#uplinks.length} accepted uplinks are lost`);
  }

  #entriesOf(block: Block, fail: (text: string) => void): readonly LogEntry[] {
    const key = `${block.firstId} ${block.crc} ${Buffer.from(block.data).toString('latin1')}`;
    const known = this.#decoded.get(key);
    if (known !== undefined) return known;
    const entries = decodeBlock(block);
    if (entries === undefined) fail(`block ${block.firstId} is damaged`);
    this.#decoded.set(key, entries ?? []);
    return entries ?? [];
  }
}
