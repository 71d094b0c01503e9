import type { RuleSettings } from '../model/plan.ts';
import type { Destination, LogEntry } from '../model/record.ts';
import { type Clock, every, sleep, type Timer } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { background, type Service } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { LogStore, WindowStore } from '../store/store.ts';
import { AggregateMetrics } from './aggregate-metrics.ts';
import type { Moment } from './open-window.ts';
import { OpenWindows } from './open-windows.ts';
import { WindowWriter, type WrittenListener } from './window-writer.ts';
import { latenessFor } from './windows.ts';

const TICK_MS = 1000;
const READ_LIMIT = 2000;
const MAX_OPEN_WINDOWS = 20_000;
const DEFAULT_COMMIT_INTERVAL_MS = 1000;
/** A write that hangs on a failing disk must not keep the gateway from stopping. */
const STOP_WAIT_MS = 2000;

export interface AggregatorOptions {
  readonly store: LogStore & WindowStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Told of the aggregates that a rule wrote, once they are on disk. */
  readonly onWritten?: WrittenListener;
  /** How long after its end a window waits for samples; default: two commit intervals of 1 s and 2 s. */
  readonly latenessMs?: number;
  /** Windows in memory beyond which the oldest are closed early; default 20,000 (about 1 KB each, 3 KB for a minute of levels). */
  readonly maxOpenWindows?: number;
}

/**
 * Turns samples of the log into aggregates. It is a consumer of the log with a position of its own: entries reach it in id
 * order, each once, and everything it knows can be rebuilt from the position that is stored with each window it writes. So a
 * process killed at any moment writes each window once for each content. Call `setRules` before `start`: samples for a rule
 * that nobody set are passed over.
 *
 * While nothing else is under way, committed entries are taken as they are announced; otherwise they are read from the store
 * afterwards. Feeding and closing never overlap: a window does not change while it is being written.
 */
export class Aggregator implements Service {
  readonly #store: LogStore & WindowStore;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #metrics: AggregateMetrics;
  readonly #windows: OpenWindows;
  readonly #writer: WindowWriter;
  readonly #maxOpenWindows: number;
  /** Id of the next entry to feed. */
  #position = 1;
  /** Head of the log at start: entries below were there before. */
  #startHead = 1;
  #turn: Promise<void> | undefined;
  #turnAgain = false;
  #failing = false;
  #running = false;
  #timer: Timer | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(options: AggregatorOptions) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#metrics = new AggregateMetrics(options.metrics);
    this.#maxOpenWindows = options.maxOpenWindows ?? MAX_OPEN_WINDOWS;
    this.#windows = new OpenWindows(
      (reason) => this.#metrics.ignored(reason),
      options.latenessMs ?? latenessFor(DEFAULT_COMMIT_INTERVAL_MS),
    );
    this.#writer = new WindowWriter(
      options.store,
      this.#windows,
      this.#metrics,
      options.onWritten ?? (() => undefined),
    );
  }

  /** Id of the next entry of the log that has not been fed; equal to the log's head when there is nothing left to do. */
  get position(): number {
    return this.#position;
  }

  get openWindows(): number {
    return this.#windows.size;
  }

  setLateness(latenessMs: number): void {
    this.#windows.setLateness(latenessMs);
  }

  /**
   * Takes the rules of a plan; `routes` gives the destinations of a rule's aggregates. Changed settings hold for windows that
   * open from now on; the open windows of a rule that is gone are closed as they are.
   */
  setRules(rules: readonly RuleSettings[], routes: (nodeId: string) => readonly Destination[]): void {
    this.#windows.setRules(rules, routes);
    this.#wake();
  }

  async start(): Promise<void> {
    this.#position = Math.min(await this.#store.aggregateCursor(), this.#store.head());
    this.#writer.resumeAt(this.#position);
    this.#startHead = this.#store.head();
    this.#running = true;
    this.#unsubscribe = this.#store.onCommitted((entries) => this.#take(entries));
    this.#timer = every(this.#clock, TICK_MS, () => this.#wake());
    this.#wake();
  }

  /** Ends without closing windows: they, and what a write under way leaves undone, are rebuilt from the log at the next start. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#timer?.cancel();
    this.#unsubscribe?.();
    await Promise.race([this.#turn, sleep(this.#clock, STOP_WAIT_MS)]);
  }

  /** Feeds announced entries at once where that is possible, else has them read. */
  #take(entries: readonly LogEntry[]): void {
    const first = entries[0];
    if (!this.#running || first === undefined) return;
    const isNext = first.id <= this.#position && this.#windows.size < this.#maxOpenWindows;
    if (this.#turn === undefined && isNext) this.#feed(entries);
    else this.#wake();
  }

  #feed(entries: readonly LogEntry[]): void {
    const fresh = this.#moment(false);
    const replayed = { ...fresh, replay: true };
    for (const entry of entries) {
      if (entry.id < this.#position) continue;
      this.#windows.add(entry, entry.id < this.#startHead ? replayed : fresh);
      this.#position = entry.id + 1;
    }
    this.#metrics.flush();
  }

  #wake(): void {
    if (!this.#running) return;
    if (this.#turn !== undefined) {
      this.#turnAgain = true;
      return;
    }
    this.#turn = this.#takeTurns().finally(() => {
      this.#turn = undefined;
      if (this.#turnAgain) this.#wake();
    });
    background(this.#turn, this.#log, 'aggregation stopped');
  }

  async #takeTurns(): Promise<void> {
    do {
      this.#turnAgain = false;
      try {
        await this.#takeTurn();
        if (this.#failing) this.#log.info({}, 'aggregation goes on');
        this.#failing = false;
      } catch (error) {
        if (!this.#running) return;
        // The windows stay in memory and the position where it is: the next tick tries again.
        if (!this.#failing)
          this.#log.warn({ error: messageOf(error) }, 'aggregates could not be written, trying again');
        this.#failing = true;
        this.#turnAgain = false;
      }
    } while (this.#turnAgain && this.#running);
  }

  /** Feeds everything that is committed now, then closes what was due before that. */
  async #takeTurn(): Promise<void> {
    const moment = this.#moment(false);
    const head = this.#store.head();
    while (this.#position < head && this.#running) {
      await this.#spill();
      const entries = await this.#store.read(this.#position, READ_LIMIT);
      if (entries.length === 0) break;
      this.#feed(entries);
    }
    await this.#spill();
    if (this.#running) await this.#writer.close(this.#windows.due(moment), this.#position);
    this.#metrics.state(this.#windows.size, this.#store.head() - this.#position);
  }

  /** At the bound on memory the oldest windows close early; what still comes for them revises them. */
  async #spill(): Promise<void> {
    const excess = this.#windows.size - this.#maxOpenWindows;
    if (excess <= 0) return;
    const oldest = this.#windows.oldest(excess + Math.ceil(this.#maxOpenWindows / 10));
    this.#metrics.spilled(oldest.length);
    await this.#writer.close(oldest, this.#position);
  }

  #moment(replay: boolean): Moment {
    return { nowMs: this.#clock.nowMs(), monotonicMs: this.#clock.monotonicMs(), replay };
  }
}
