import { MAX_PARKED_RECORDS, type Batch, type Lane } from '../model/batch.ts';
import type { StreamSettings } from '../model/plan.ts';
import type { LogEntry } from '../model/record.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { BatchReplacement, LogStore, OutboxStore, StreamState } from '../store/store.ts';
import { buildBatch, DEFAULT_BODY_BYTES } from './batcher.ts';
import type { Replaceable } from './delivery-window.ts';
import { Lanes } from './lanes.ts';
import type { Publisher } from './publisher.ts';
import { parkBatch, splitBatch, unpack } from './replacement.ts';
import type { SizeLimit } from './size-limit.ts';
import { TokenBucket } from './token-bucket.ts';

export interface SealerDeps {
  readonly store: LogStore & OutboxStore & { readonly epoch: string };
  readonly upstream: Pick<Publisher, 'maxPacketBytes'>;
  readonly gateway: string;
  readonly sizeLimit: SizeLimit;
  readonly clock: Clock;
  readonly log: Log;
}

/** Places of the sender's window. */
export interface Room {
  readonly free: number;
  readonly taken: number;
}

/** Entries a lane holds in memory beyond one batch: one page of the log. */
const READ_AHEAD = 1000;
/** Topic, properties and headers of a publish, so that a body below the rest always fits the limit of a message. */
const PUBLISH_OVERHEAD_BYTES = 1024;
const MIN_BODY_BYTES = 1024;
/** A batch that is too large is split into as many as its size asks for, up to this; any other in two. */
const MAX_PARTS = 64;
/** Foreign entries to pass over, and time between, before the position is written without a batch. */
const MOVE_ENTRIES = 10_000;
const MOVE_MS = 60_000;

/** Decides which lane gives the next batch of a stream, and seals it: number, body and position in one commit. */
export class Sealer {
  readonly #settings: StreamSettings;
  readonly #deps: SealerDeps;
  readonly #bucket: TokenBucket;
  readonly #lanes: Lanes;
  #lastSeq: number;
  #parked: number;
  #savedLiveFrom: number;
  #movedMs: number;

  /** Continues from what the store says. */
  constructor(settings: StreamSettings, deps: SealerDeps, state: StreamState, bucket: TokenBucket) {
    this.#settings = settings;
    this.#deps = deps;
    this.#bucket = bucket;
    this.#lanes = new Lanes(deps.store, settings.stream, state, deps.store.head(), settings.maxRecords + READ_AHEAD);
    this.#lastSeq = state.lastSeq;
    this.#parked = state.parkedRecords;
    this.#savedLiveFrom = state.liveFrom;
    this.#movedMs = deps.clock.monotonicMs();
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Records that the broker refused alone. */
  get parked(): number {
    return this.#parked;
  }

  /** Records not sealed; an upper bound for what waited before the start. */
  get waiting(): number {
    return this.#lanes.waiting;
  }

  get buffered(): number {
    return this.#lanes.buffered;
  }

  get oldestAt(): number | null {
    return this.#lanes.oldestAt;
  }

  get hasBacklog(): boolean {
    return this.#lanes.hasBacklog;
  }

  /** A sealed body above it is split without being tried: the limit was lowered since, or the broker refused such. */
  get hopelessBytes(): number {
    return Math.min(this.#deps.sizeLimit.hopelessBytes, this.#settings.maxBytes - PUBLISH_OVERHEAD_BYTES);
  }

  /** Reads the oldest waiting record where nobody has yet, so that its age is known while nothing can be sent. */
  look(): Promise<void> {
    return this.#lanes.look();
  }

  /** Takes note of a commit; whether it held anything for this stream. */
  committed(entries: readonly LogEntry[]): boolean {
    return this.#lanes.committed(entries, this.#deps.clock.monotonicMs());
  }

  /** What waited longer than the connection and does not fit into one batch becomes backlog: new data goes first. */
  async connected(): Promise<void> {
    const { order, maxRecords } = this.#settings;
    if (order === 'in-order') return;
    await this.#lanes.peek('live', maxRecords + 1);
    if (this.#lanes.liveWaiting <= maxRecords || !this.#lanes.split()) return;
    this.#deps.log.info({ backlogRecords: this.#lanes.waiting }, 'the backlog follows behind what comes now');
    await this.#move();
  }

  /** The lane that may give a batch now, or undefined. */
  laneDue(room: Room): Lane | undefined {
    if (room.free <= 0) return undefined;
    if (this.#settings.order === 'in-order' && this.hasBacklog) return 'backlog';
    if (this.#isLiveDue()) return 'live';
    // One place of the window is always left to the live lane.
    const mayGo = this.hasBacklog && (room.free > 1 || room.taken === 0);
    return mayGo && this.#bucket.waitMs() === 0 ? 'backlog' : undefined;
  }

  /** The next batch of that lane, committed; undefined when the lane turned out to have none due. */
  async seal(lane: Lane): Promise<Batch | undefined> {
    const { store, clock, gateway } = this.#deps;
    const { stream, maxRecords, compress } = this.#settings;
    const hadBacklog = this.hasBacklog;
    const entries = await this.#lanes.peek(lane, maxRecords);
    if (entries.length === 0 || (lane === 'live' && !this.#isLiveDue())) {
      if (hadBacklog && !this.hasBacklog) await this.#move();
      return undefined;
    }
    const head = { gateway, stream, epoch: store.epoch, seq: this.#lastSeq + 1, createdAt: clock.nowMs() };
    const limits = { maxRecords, maxBodyBytes: this.#maxBodyBytes() };
    const batch = await buildBatch({ ...head, lane, encoding: compress }, entries, limits);
    const rest = this.#lanes.restAfter(lane, batch.recordCount);
    // Meanwhile the store may have thinned what the batch holds: it is built again.
    if (!(await store.sealBatch(batch, rest, this.#lanes.revision))) return undefined;
    this.#lanes.consume(lane, batch.recordCount);
    this.#savedLiveFrom = rest.liveFrom;
    this.#lastSeq = batch.seq;
    if (lane === 'backlog' && this.#settings.order === 'live-first') this.#bucket.spend(batch.recordCount);
    return batch;
  }

  /** What a refused batch becomes, committed; undefined when its body cannot be read, or no more may be parked. */
  async replace({ delivery, answer }: Replaceable): Promise<BatchReplacement | undefined> {
    const { store, clock, gateway } = this.#deps;
    const { batch, refusals, obstacle } = delivery;
    if (answer === 'park' && this.#parked >= MAX_PARKED_RECORDS) return undefined;
    const unpacked = await unpack(batch);
    if (unpacked === undefined) return undefined;
    const order = { gateway, lastSeq: this.#lastSeq, nowMs: clock.nowMs() };
    const reasonCode = obstacle?.kind === 'refused' ? obstacle.reasonCode : null;
    if (refusals.cause === 'size') this.#learnSize(batch, unpacked.bodyBytes);
    const replacement =
      answer === 'park'
        ? await parkBatch(batch, unpacked, reasonCode, order)
        : await splitBatch(batch, unpacked, this.#partsOf(batch), order);
    await store.replaceBatch(replacement);
    this.#lastSeq += replacement.parts.length;
    if (replacement.parked !== null) {
      this.#parked += 1;
      this.#deps.sizeLimit.forget();
    }
    return replacement;
  }

  /** Entries of others at the start of the live lane are passed over for good now and then, not one by one. */
  async passOver(): Promise<void> {
    if (this.isPassing) await this.#move();
  }

  /** Whether so much of others lies behind that the position is to be written: a restart would read all of it again. */
  get isPassing(): boolean {
    if (this.#deps.clock.monotonicMs() - this.#movedMs < MOVE_MS) return false;
    return this.#lanes.rest().liveFrom - this.#savedLiveFrom >= MOVE_ENTRIES;
  }

  /** Monotonic instants at which a lane may become due. */
  dueMs(): readonly number[] {
    const { liveSinceMs } = this.#lanes;
    return [
      ...(liveSinceMs === undefined ? [] : [liveSinceMs + this.#settings.maxAgeMs]),
      ...(this.hasBacklog ? [this.#deps.clock.monotonicMs() + this.#bucket.waitMs()] : []),
    ];
  }

  #isLiveDue(): boolean {
    const { liveSinceMs } = this.#lanes;
    if (liveSinceMs === undefined) return false;
    const ageMs = this.#deps.clock.monotonicMs() - liveSinceMs;
    return this.#lanes.liveWaiting >= this.#settings.maxRecords || ageMs >= this.#settings.maxAgeMs;
  }

  /** Only what the broker itself refused tells something that its Maximum Packet Size does not. */
  #learnSize({ body, recordCount }: Batch, bodyBytes: number): void {
    const wasSent = body.byteLength + PUBLISH_OVERHEAD_BYTES <= this.#deps.upstream.maxPacketBytes;
    if (wasSent && recordCount > 1) this.#deps.sizeLimit.refused(body.byteLength, bodyBytes);
  }

  #partsOf({ body }: Batch): number {
    const { sizeLimit } = this.#deps;
    const target = Math.max(1, Math.min(sizeLimit.wireBytes, this.#fittingBytes));
    return Math.max(2, Math.min(MAX_PARTS, Math.ceil(body.byteLength / target)));
  }

  /** A body that fits into a message, as the setting and the broker's Maximum Packet Size allow it. */
  get #fittingBytes(): number {
    return Math.min(this.#settings.maxBytes, this.#deps.upstream.maxPacketBytes) - PUBLISH_OVERHEAD_BYTES;
  }

  /** The body before compression is held below the limit: compressed it fits all the more. */
  #maxBodyBytes(): number {
    const { bodyBytes } = this.#deps.sizeLimit;
    return Math.max(MIN_BODY_BYTES, Math.min(DEFAULT_BODY_BYTES, this.#fittingBytes, bodyBytes));
  }

  async #move(): Promise<void> {
    const rest = this.#lanes.rest();
    this.#movedMs = this.#deps.clock.monotonicMs();
    await this.#deps.store.moveStream(this.#settings.stream, rest);
    this.#savedLiveFrom = rest.liveFrom;
  }
}
