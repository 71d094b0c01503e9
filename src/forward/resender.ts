import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { background } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { OutboxStore } from '../store/store.ts';
import type { Batch } from '../model/batch.ts';
import type { Publisher, PublishOutcome } from './publisher.ts';
import { TokenBucket } from './token-bucket.ts';
import type { StreamTopics } from './topics.ts';

interface Range {
  readonly epoch: string;
  readonly from: number;
  readonly to: number;
}

/** Why numbers that were asked for do not come: deleted after their keep time, of another epoch, or not sealed yet. */
export type NoticeReason = 'gone' | 'other-epoch' | 'not-sealed';

export interface ResenderDeps {
  readonly store: Pick<OutboxStore, 'batches'> & { readonly epoch: string };
  readonly upstream: Publisher;
  readonly publishBatch: (batch: Batch) => Promise<PublishOutcome>;
  /** Somebody asked: there is a receiver. */
  readonly receiverHeard: () => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface ResenderSettings {
  readonly stream: string;
  readonly topics: StreamTopics;
  /** Records a second. */
  readonly rate: number;
  /** Last sealed number; undefined while the outbox cannot be used. */
  readonly lastSeq: () => number | undefined;
}

const MAX_REQUESTS = 32;
const MAX_REQUEST_BYTES = 4096;
const MAX_EPOCH_LENGTH = 64;
const PAGE = 8;

/**
 * Sends kept batches again when a receiver asks for a range of numbers: the same bodies, lane `backlog`, one at a time
 * at a limited rate. A request that cannot be served now is dropped: whoever misses something asks again.
 */
export class Resender {
  readonly #settings: ResenderSettings;
  readonly #deps: ResenderDeps;
  readonly #bucket: TokenBucket;
  readonly #requests: Range[] = [];
  #unsubscribe: (() => void) | undefined;
  #working = false;
  #stopped = false;

  constructor(settings: ResenderSettings, deps: ResenderDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#bucket = new TokenBucket(deps.clock, settings.rate);
  }

  start(): void {
    this.#unsubscribe ??= this.#deps.upstream.subscribe(this.#settings.topics.resend, (payload) =>
      this.#asked(payload),
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#unsubscribe?.();
  }

  #asked(payload: Uint8Array): void {
    const range = parseRange(payload);
    const refused = range === undefined ? 'malformed' : this.#requests.length >= MAX_REQUESTS ? 'too-many' : null;
    this.#deps.metrics.count('cigale_resend_requests_total', 'Requests to send batches again.', {
      stream: this.#settings.stream,
      result: refused ?? 'taken',
    });
    if (range === undefined || refused !== null) {
      this.#deps.log.warn({ refused }, 'a request to send batches again was not taken');
      return;
    }
    this.#requests.push(range);
    this.#deps.receiverHeard();
    if (!this.#working) background(this.#work(), this.#deps.log, 'sending batches again failed');
  }

  async #work(): Promise<void> {
    this.#working = true;
    try {
      for (let range = this.#requests.shift(); range !== undefined; range = this.#requests.shift()) {
        if (!this.#stopped) await this.#serve(range);
      }
    } catch (error) {
      this.#deps.log.warn({ error: messageOf(error) }, 'batches could not be read for sending again');
    } finally {
      this.#working = false;
    }
  }

  async #serve({ epoch, from, to }: Range): Promise<void> {
    const lastSeq = this.#settings.lastSeq();
    if (lastSeq === undefined) return;
    if (epoch !== this.#deps.store.epoch) {
      await this.#notice({ epoch, from, to }, 'other-epoch');
      return;
    }
    if (to > lastSeq) await this.#notice({ epoch, from: Math.max(from, lastSeq + 1), to }, 'not-sealed');
    let next = from;
    const last = Math.min(to, lastSeq);
    while (next <= last && !this.#stopped) {
      const found = await this.#deps.store.batches(this.#settings.stream, next, last, PAGE);
      const page = found.filter((batch) => batch.epoch === epoch);
      if (page.length === 0) {
        await this.#notice({ epoch, from: next, to: last }, 'gone');
        return;
      }
      for (const batch of page) {
        if (batch.seq > next) await this.#notice({ epoch, from: next, to: batch.seq - 1 }, 'gone');
        if (!(await this.#sendAgain(batch))) return;
        next = batch.seq + 1;
      }
    }
  }

  async #sendAgain(batch: Batch): Promise<boolean> {
    const waitMs = this.#bucket.waitMs();
    if (waitMs > 0) await new Promise<void>((resolve) => void this.#deps.clock.after(waitMs, resolve));
    if (this.#stopped) return false;
    this.#bucket.spend(batch.recordCount);
    const { kind } = await this.#deps.publishBatch({ ...batch, lane: 'backlog' });
    this.#deps.metrics.count('cigale_batches_resent_total', 'Batches sent again because a receiver asked.', {
      stream: this.#settings.stream,
    });
    return kind === 'acknowledged' || kind === 'no-subscriber';
  }

  async #notice(range: Range, reason: NoticeReason): Promise<void> {
    const payload = Buffer.from(JSON.stringify({ ...range, reason }));
    await this.#deps.upstream.publish(this.#settings.topics.notice, payload, { contentType: 'application/json' });
  }
}

function parseRange(payload: Uint8Array): Range | undefined {
  if (payload.byteLength > MAX_REQUEST_BYTES) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString());
    return isRange(value) ? { epoch: value.epoch, from: value.from, to: value.to } : undefined;
  } catch {
    // Not JSON: counted by the caller as malformed.
    return undefined;
  }
}

function isRange(value: unknown): value is Range {
  if (typeof value !== 'object' || value === null) return false;
  const { epoch, from, to } = value as Partial<Record<keyof Range, unknown>>;
  if (typeof epoch !== 'string' || epoch.length > MAX_EPOCH_LENGTH) return false;
  return Number.isSafeInteger(from) && Number.isSafeInteger(to) && Number(from) >= 1 && Number(from) <= Number(to);
}
