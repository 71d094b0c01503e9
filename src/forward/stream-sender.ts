import type { Batch } from '../model/batch.ts';
import type { StreamSettings } from '../model/plan.ts';
import type { LogEntry } from '../model/record.ts';
import { sleep, type Clock, type Timer } from '../runtime/clock.ts';
import type { ErrorCode } from '../runtime/error-codes.ts';
import { GatewayError, messageOf } from '../runtime/errors.ts';
import { background, type Service } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { Backoff } from '../runtime/retry.ts';
import type { LogStore, OutboxStore } from '../store/store.ts';
import { AckRecorder } from './ack-recorder.ts';
import { batchMessage } from './batch-message.ts';
import { DeliveryWindow, type Delivery, type Replaceable } from './delivery-window.ts';
import type { Publisher, PublishOutcome } from './publisher.ts';
import { reportReplacement } from './replacement-report.ts';
import { Resender } from './resender.ts';
import { SealedReader } from './sealed-reader.ts';
import { Sealer } from './sealer.ts';
import { SizeLimit } from './size-limit.ts';
import { StateTopic } from './state-topic.ts';
import { refusalOf, stateOf, StreamGauges, type StreamSenderStatus } from './stream-status.ts';
import { TokenBucket } from './token-bucket.ts';
import { streamTopics, type StreamTopics } from './topics.ts';

export interface StreamSenderDeps {
  readonly store: LogStore & OutboxStore & { readonly epoch: string };
  readonly upstream: Publisher;
  readonly gateway: string;
  readonly topicPrefix: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly random: () => number;
}

/** How soon to look again when something is due that cannot be done now. */
const BLOCKED_POLL_MS = 1000;
/** How often the age of the backlog is shown anew while nothing can be sent. */
const OFFLINE_LOOK_MS = 10_000;
/** How long `stop` waits for acknowledgements of what is on its way. */
const LAST_WORDS_MS = 2000;

/**
 * Sends one stream: seals batches of what its lanes hold and repeats each until the broker acknowledges it.
 * One loop does everything in turn (`#step`); commits, acknowledgements, connections and one timer wake it.
 */
export class StreamSender implements Service {
  readonly #settings: StreamSettings;
  readonly #deps: StreamSenderDeps;
  readonly #topics: StreamTopics;
  readonly #window: DeliveryWindow;
  readonly #acks: AckRecorder;
  readonly #reader: SealedReader;
  readonly #bucket: TokenBucket;
  readonly #sizeLimit: SizeLimit;
  readonly #faults: Backoff;
  readonly #resender: Resender;
  readonly #stateTopic: StateTopic;
  readonly #gauges: StreamGauges;
  readonly #sending = new Set<Promise<void>>();
  #releases: (() => void)[] = [];
  #sealer: Sealer | undefined;
  #timer: Timer | undefined;
  #pumping: Promise<void> | undefined;
  #again = false;
  #running = false;
  #reconnected = false;
  #unacknowledged = 0;
  #lastAcknowledgedAt: number | null = null;
  #fault: ErrorCode | null = null;

  constructor(settings: StreamSettings, deps: StreamSenderDeps) {
    const { stream, backlogRate } = settings;
    const { store, clock, random } = deps;
    const own = { ...deps, log: deps.log.child({ stream }) };
    this.#settings = settings;
    this.#deps = own;
    this.#topics = streamTopics(deps.topicPrefix, deps.gateway, stream);
    this.#window = new DeliveryWindow(random);
    this.#acks = new AckRecorder(store, stream, clock, own.log);
    this.#reader = new SealedReader(store, stream, this.#window, this.#acks);
    this.#bucket = new TokenBucket(clock, backlogRate);
    this.#sizeLimit = new SizeLimit(clock);
    this.#faults = new Backoff({ firstMs: 1000, maxMs: 60_000, jitter: 0.5, random });
    this.#gauges = new StreamGauges(deps.metrics, stream);
    this.#stateTopic = new StateTopic(own, stream, this.#topics.state);
    this.#resender = new Resender(
      { stream, topics: this.#topics, rate: backlogRate, lastSeq: () => this.#sealer?.lastSeq },
      {
        ...own,
        publishBatch: (batch) => this.#publish(batch),
        receiverHeard: () => {
          this.#window.receiverHeard(clock.monotonicMs());
          this.#wake();
        },
      },
    );
  }

  /** Resolves once the outbox was read, or its failure noted; sending goes on in the background. */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    this.#gauges.start();
    this.#resender.start();
    this.#releases = [
      this.#deps.store.onCommitted((entries) => this.#committed(entries)),
      this.#deps.upstream.onChange((online) => {
        this.#reconnected ||= online;
        this.#wake();
      }),
    ];
    try {
      await this.#open();
      this.#wake();
    } catch (error) {
      this.#wakeIn(this.#failed(error));
    }
  }

  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    for (const release of this.#releases) release();
    this.#resender.stop();
    this.#timer?.cancel();
    await this.#pumping;
    if (this.#sending.size > 0)
      await Promise.race([Promise.all(this.#sending), sleep(this.#deps.clock, LAST_WORDS_MS)]);
    await this.#acks.stop();
    this.#gauges.stop();
  }

  status(): StreamSenderStatus {
    const { obstacle } = this.#window;
    const oldest = [this.#window.oldestAt, this.#sealer?.oldestAt ?? null].filter((time) => time !== null);
    return {
      stream: this.#settings.stream,
      state: stateOf(this.#fault, this.#sealer, this.#deps.upstream, obstacle),
      lastSeq: this.#sealer?.lastSeq ?? 0,
      unacknowledged: this.#unacknowledged,
      backlogRecords: (this.#sealer?.waiting ?? 0) + this.#window.records,
      bufferedRecords: this.#sealer?.buffered ?? 0,
      oldestWaitingAt: oldest.length === 0 ? null : Math.min(...oldest),
      lastAcknowledgedAt: this.#lastAcknowledgedAt,
      parkedRecords: this.#sealer?.parked ?? 0,
      refusal: refusalOf(obstacle),
      fault: this.#fault,
    };
  }

  #committed(entries: readonly LogEntry[]): void {
    const sealer = this.#sealer;
    const mine = sealer?.committed(entries) ?? false;
    if ((mine && this.#deps.upstream.online) || sealer?.isPassing === true) this.#wake();
    else if (mine) this.#gauges.show(this.status(), this.#deps.clock.nowMs());
  }

  #wake(): void {
    this.#again = true;
    if (this.#pumping !== undefined || !this.#running) return;
    this.#timer?.cancel();
    this.#pumping = this.#pump();
    background(this.#pumping, this.#deps.log, 'sending stopped in a way nobody foresaw');
  }

  #wakeIn(delayMs: number | undefined): void {
    if (delayMs !== undefined && this.#running) this.#timer = this.#deps.clock.after(delayMs, () => this.#wake());
  }

  async #pump(): Promise<void> {
    let delayMs: number | undefined;
    try {
      while (this.#again && this.#running) {
        this.#again = false;
        while (this.#running && (await this.#step())) this.#fault = null;
      }
      this.#faults.reset();
      delayMs = this.#nextWakeMs();
    } catch (error) {
      delayMs = this.#failed(error);
    }
    this.#pumping = undefined;
    this.#gauges.show(this.status(), this.#deps.clock.nowMs());
    this.#wakeIn(delayMs);
  }

  /** After a failed write nobody knows whether it is in the store (an fsync may fail after the fact): read it again. */
  #failed(error: unknown): number {
    this.#fault = error instanceof GatewayError ? error.code : 'INTERNAL';
    this.#sealer = undefined;
    const retryInMs = this.#faults.nextDelayMs();
    this.#deps.log.error({ code: this.#fault, error: messageOf(error), retryInMs }, 'the outbox cannot be used');
    return retryInMs;
  }

  /** Does the next thing there is to do; false when there is none now. */
  async #step(): Promise<boolean> {
    const sealer = this.#sealer;
    if (sealer === undefined) return this.#open();
    await sealer.passOver();
    if (!this.#deps.upstream.online) return sealer.look().then(() => false);
    if (this.#reconnected) return this.#connected(sealer);
    this.#stateTopic.show(sealer.lastSeq);
    const replaceable = this.#window.replaceable(sealer.hopelessBytes);
    if (replaceable !== undefined) return this.#replace(sealer, replaceable);
    const delivery = this.#window.next(this.#deps.clock.monotonicMs());
    if (delivery !== undefined) return this.#send(delivery);
    if (this.#reader.hasMore) return this.#reader.load();
    const lane = this.#acks.isFull ? undefined : sealer.laneDue(this.#window);
    if (lane === undefined) return false;
    const batch = await sealer.seal(lane);
    if (batch !== undefined) this.#sealed(batch);
    return true;
  }

  async #open(): Promise<boolean> {
    const { store, clock, upstream } = this.#deps;
    const state = await store.openStream(this.#settings.stream, clock.nowMs());
    this.#sealer = new Sealer(this.#settings, { ...this.#deps, sizeLimit: this.#sizeLimit }, state, this.#bucket);
    this.#unacknowledged = Math.max(0, state.unacknowledgedBatches - this.#acks.count);
    this.#reader.restart();
    this.#reconnected = upstream.online;
    return true;
  }

  async #connected(sealer: Sealer): Promise<boolean> {
    this.#reconnected = false;
    this.#window.connected(this.#deps.clock.monotonicMs());
    this.#stateTopic.connected();
    await sealer.connected();
    return true;
  }

  /** Out of the window first: after a failed write only the store knows which of the two it holds. */
  async #replace(sealer: Sealer, replaceable: Replaceable): Promise<boolean> {
    this.#window.remove(replaceable.delivery.batch.seq);
    const replacement = await sealer.replace(replaceable);
    reportReplacement(this.#deps.log, replaceable, replacement);
    if (replacement === undefined) this.#window.takeBack(replaceable.delivery);
    else {
      this.#window.add(replacement.empty);
      this.#reader.follow();
      this.#unacknowledged += replacement.parts.length;
      this.#gauges.replaced(replacement);
    }
    return true;
  }

  #sealed(batch: Batch): void {
    this.#reader.passed(batch.seq);
    this.#unacknowledged += 1;
    this.#window.add(batch);
    this.#gauges.sealed();
  }

  #send(delivery: Delivery): boolean {
    this.#window.sent(delivery);
    const sent = this.#deliver(delivery);
    this.#sending.add(sent);
    background(
      sent.finally(() => this.#sending.delete(sent)),
      this.#deps.log,
      'a batch could not be made ready for sending',
    );
    return true;
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { clock, log } = this.#deps;
    const before = delivery.obstacle;
    const outcome = await this.#publish(delivery.batch);
    if (this.#window.settle(delivery, outcome, clock.monotonicMs())) {
      this.#lastAcknowledgedAt = clock.nowMs();
      this.#unacknowledged -= 1;
      this.#acks.record(delivery.batch.seq, this.#lastAcknowledgedAt);
      this.#gauges.acknowledged();
    } else if (delivery.obstacle !== null && delivery.obstacle.kind !== before?.kind) {
      log.warn({ ...delivery.obstacle }, 'the broker does not take a batch; it is kept and sent again');
    }
    this.#wake();
  }

  async #publish(batch: Batch): Promise<PublishOutcome> {
    const { topic, payload, properties } = await batchMessage(batch, this.#topics, this.#deps.upstream.protocol);
    return this.#deps.upstream.publish(topic, payload, properties);
  }

  #nextWakeMs(): number | undefined {
    const sealer = this.#sealer;
    if (sealer === undefined) return undefined;
    if (!this.#deps.upstream.online) return OFFLINE_LOOK_MS;
    const nowMs = this.#deps.clock.monotonicMs();
    const due = [this.#window.wakeAtMs(), this.#stateTopic.dueMs(sealer.lastSeq), ...sealer.dueMs()];
    const next = Math.min(...due.filter((time) => time !== undefined));
    if (next === Infinity) return undefined;
    return next > nowMs ? next - nowMs : BLOCKED_POLL_MS;
  }
}
