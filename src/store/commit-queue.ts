import type { LogEntry, NewEntry } from '../model/record.ts';
import type { Timer } from '../runtime/clock.ts';
import { GatewayError, messageOf } from '../runtime/errors.ts';
import { Backoff } from '../runtime/retry.ts';
import type { CommitQueueParts } from './commit-parts.ts';
import type { Database, Row, SqlValue, Statement } from './database.ts';
import { DEFAULT_LIMITS, PendingWrites } from './pending-writes.ts';
import { type QueuedWrite, isOpen, sizeOf } from './queued-write.ts';
import { closedError, isDiskFault } from './sqlite-fault.ts';
import type { Urgency } from './store.ts';

export const DEFAULT_COMMIT_INTERVAL_MS = 1000;

/** Commit intervals without a commit that make a pause. One alone would let a slow line commit more often than it must. */
const PAUSE_INTERVALS = 2;
/** The part of the commit interval that the first write after a pause waits. */
const GATHERING_SHARE = 0.1;

/**
 * Group commit. Writes wait in memory and share a transaction; each promise resolves after the COMMIT that holds it.
 * A disk that refuses keeps the transaction as it was planned and tries it again, so what was accepted into the queue
 * is lost only with the process; a write that SQLite calls wrong is found by halving the group and rejected alone.
 */
export class CommitQueue implements Database {
  readonly #parts: CommitQueueParts;
  readonly #pending: PendingWrites<QueuedWrite>;
  readonly #backoff: Backoff;
  #commitIntervalMs = DEFAULT_COMMIT_INTERVAL_MS;
  #intervalTimer: Timer | undefined;
  /** Monotonic; when the last commit began. Those of a start, before the first records, do not count. */
  #committedMs = -Infinity;
  #running: Promise<void> | undefined;
  #isUrgent = false;
  #state: 'open' | 'draining' | 'stopping' | 'closed' = 'open';
  #fault: string | null = null;
  /** Ends the wait before the next attempt. */
  #wake: (() => void) | undefined;

  constructor(parts: CommitQueueParts) {
    this.#parts = parts;
    this.#pending = new PendingWrites(parts.limits ?? DEFAULT_LIMITS);
    this.#backoff = new Backoff({ firstMs: 250, maxMs: 30_000, jitter: 0.2, random: parts.random });
  }

  /** Entries that wait for their COMMIT. */
  get pendingEntries(): number {
    return this.#pending.records;
  }

  /** Code of the fault that commits fail with now, or null. */
  get fault(): string | null {
    return this.#fault;
  }

  setCommitInterval(ms: number): void {
    this.#commitIntervalMs = ms;
  }

  read(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]> {
    return this.#parts.driver.read(sql, params);
  }

  async write(statements: readonly Statement[], urgency: Urgency = 'interval'): Promise<void> {
    await this.append([], statements, urgency);
  }

  /** A write that helps to make room: while the file is full it goes past the queue and may use the reserve. */
  async writeWithReserve(statements: readonly Statement[], urgency: Urgency): Promise<void> {
    if (this.#fault !== null) {
      try {
        await this.#reserved(() => this.transact(statements));
        return;
      } catch (error) {
        if (!isDiskFault(error)) throw error;
      }
    }
    await this.append([], statements, urgency, true);
  }

  /** Tries a commit that waits for the disk again at once. */
  wake(): void {
    this.#wake?.();
  }

  /** Takes entries into the log, and the statements with them, in one transaction; resolves with the entries' ids. */
  append(
    entries: readonly NewEntry[],
    statements: readonly Statement[],
    urgency: Urgency,
    mayUseReserve = false,
  ): Promise<readonly LogEntry[]> {
    if (!this.#isOpen) return Promise.reject(closedError());
    if (entries.length === 0 && statements.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const size = sizeOf(entries, statements);
      const write = { entries, statements, size, mayUseReserve, resolve, reject, isSettled: false };
      if (!this.#pending.add(write, size)) {
        this.#refuse(entries.length, reject);
        return;
      }
      this.#schedule(urgency);
    });
  }

  /**
   * Runs statements in a transaction of their own, past the queue: deletions, which must get through when the queue stands
   * still because the file is full.
   */
  async writeApart(statements: readonly Statement[]): Promise<void> {
    await this.transact(statements);
    this.#wake?.();
  }

  /** The same without a try of what waits: while the reserve is open, that would fill it. */
  async transact(statements: readonly Statement[]): Promise<void> {
    if (!this.#isOpen) throw closedError();
    await this.#parts.driver.transaction(statements);
  }

  /**
   * From now on every write commits at once, and what a failing disk refuses is rejected with that fault instead of tried
   * again: the gateway ends, and no part of it may wait for a commit interval or for the disk.
   */
  drain(): void {
    if (this.#state !== 'open') return;
    this.#state = 'draining';
    this.#wake?.();
    this.#flush();
  }

  /** Commits what is queued; what a failing disk still refuses is rejected with that fault. Idempotent. */
  async stop(): Promise<void> {
    if (this.#isOpen) this.#state = 'stopping';
    this.#wake?.();
    this.#flush();
    while (this.#running !== undefined) await this.#running;
    this.#state = 'closed';
  }

  get #isOpen(): boolean {
    return this.#state === 'open' || this.#state === 'draining';
  }

  #refuse(records: number, reject: (error: unknown) => void): void {
    const { metrics } = this.#parts;
    metrics.count('cigale_store_refused_total', 'Records that the full write queue refused.', {}, Math.max(1, records));
    const context = { pendingRecords: this.#pending.records, pendingBytes: this.#pending.bytes, fault: this.#fault };
    reject(new GatewayError('STORE_BACKPRESSURE', 'the write queue is full', { context }));
  }

  #schedule(urgency: Urgency): void {
    if (urgency === 'now' || this.#state === 'draining') this.#flush();
    else this.#intervalTimer ??= this.#parts.clock.after(this.#delayMs(), () => this.#flush());
  }

  /** What follows close on a commit waits a whole interval; what comes after a pause only for others that come with it. */
  #delayMs(): number {
    const isAfterPause =
      this.#parts.clock.monotonicMs() - this.#committedMs >= PAUSE_INTERVALS * this.#commitIntervalMs;
    return isAfterPause ? this.#commitIntervalMs * GATHERING_SHARE : this.#commitIntervalMs;
  }

  /** Starts a commit, or lets the next follow the running one. */
  #flush(): void {
    this.#intervalTimer?.cancel();
    this.#intervalTimer = undefined;
    this.#isUrgent = true;
    this.#running ??= this.#drain();
  }

  async #drain(): Promise<void> {
    // Writes that are made in the same turn of the event loop share the first commit.
    await Promise.resolve();
    while (this.#isUrgent && !this.#pending.isEmpty) {
      const { writes, hasMore } = this.#pending.take();
      this.#isUrgent = hasMore;
      if (this.#committedMs > -Infinity || writes.some(({ entries }) => entries.length > 0))
        this.#committedMs = this.#parts.clock.monotonicMs();
      await this.#commitAll(writes);
    }
    this.#isUrgent = false;
    this.#running = undefined;
  }

  /** Commits the writes together; where one is at fault, by halves until it stands alone. */
  async #commitAll(writes: readonly QueuedWrite[]): Promise<void> {
    try {
      await this.#commit(writes);
    } catch (error) {
      const open = writes.filter(isOpen);
      if (open.length > 1 && !isDiskFault(error)) {
        const middle = open.length >> 1;
        await this.#commitAll(open.slice(0, middle));
        await this.#commitAll(open.slice(middle));
        return;
      }
      for (const write of open) this.#settle(write, () => write.reject(error));
      this.#parts.log.error({ error: messageOf(error), writes: open.length }, 'a write to the store was rejected');
    }
  }

  /** Throws only for a fault of the statements, or of the disk while stopping. */
  async #commit(writes: readonly QueuedWrite[]): Promise<void> {
    const plan = this.#parts.planner.plan(writes.map(({ entries }) => entries));
    const attempt = (): Promise<boolean> =>
      this.#attempt([...plan.statements, ...writes.filter(isOpen).flatMap((write) => write.statements)]);
    while (!(await attempt())) {
      if (this.#fault === 'STORE_FULL') await this.#writeReserved(writes.filter(isOpen));
      await this.#pause();
      // A full disk leaves the connection sound. After any other fault what the connection holds may not be what the disk does.
      if (this.#fault !== 'STORE_FULL') await this.#parts.reopen?.();
    }
    plan.committed();
    for (const [index, write] of writes.entries()) {
      if (isOpen(write)) this.#settle(write, () => write.resolve(plan.groups[index] ?? []));
    }
  }

  #settle(write: QueuedWrite, answer: () => void): void {
    write.isSettled = true;
    this.#pending.release(write.size);
    answer();
  }

  /** Writes on its own what may use the reserve: what it stands with in one transaction finds no room. */
  async #writeReserved(writes: readonly QueuedWrite[]): Promise<void> {
    const reserved = writes.filter(({ mayUseReserve }) => mayUseReserve);
    if (reserved.length === 0) return;
    try {
      const statements = reserved.flatMap((write) => write.statements);
      await this.#reserved(() => this.#parts.driver.transaction(statements));
    } catch (error) {
      if (!isDiskFault(error)) throw error;
      return;
    }
    for (const write of reserved) this.#settle(write, () => write.resolve([]));
  }

  #reserved<T>(write: () => Promise<T>): Promise<T> {
    return this.#parts.withReserve === undefined ? write() : this.#parts.withReserve(write);
  }

  /** False when the disk refused and it is to be tried again. */
  async #attempt(statements: readonly Statement[]): Promise<boolean> {
    const { clock, driver, metrics } = this.#parts;
    const startedMs = clock.monotonicMs();
    try {
      await driver.transaction(statements);
    } catch (error) {
      if (!isDiskFault(error) || this.#state !== 'open') throw error;
      this.#raise(error);
      return false;
    }
    const seconds = (clock.monotonicMs() - startedMs) / 1000;
    metrics.observe('cigale_commit_seconds', 'Time of a COMMIT, the disk included.', seconds);
    this.#clear();
    return true;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#parts.clock.after(this.#backoff.nextDelayMs(), () => this.#wake?.());
      this.#wake = () => {
        timer.cancel();
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #raise(error: GatewayError): void {
    const { log, metrics } = this.#parts;
    metrics.count('cigale_store_commit_failures_total', 'Commits that the disk refused.', { code: error.code });
    if (this.#fault !== error.code) {
      log.error(
        { code: error.code, error: error.message, pendingEntries: this.pendingEntries },
        'the disk refuses commits: records wait in memory',
      );
    }
    this.#fault = error.code;
  }

  #clear(): void {
    if (this.#fault !== null) this.#parts.log.warn({ code: this.#fault }, 'the disk takes commits again');
    this.#fault = null;
    this.#backoff.reset();
  }
}
