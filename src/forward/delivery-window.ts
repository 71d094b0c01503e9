import type { Batch } from '../model/batch.ts';
import { Backoff } from '../runtime/retry.ts';
import { Probe } from './probe.ts';
import type { PublishOutcome } from './publisher.ts';
import { answerTo, causeOf, noRefusal, type RefusalAnswer, type RefusalHistory } from './refusal.ts';

/** Why a sealed batch stays although it was sent; shown until the broker takes it. */
export type Obstacle =
  | { readonly kind: 'no-receiver'; readonly seq: number }
  /** `reasonCode` null: the connection ended each time while this batch was on its way. */
  | { readonly kind: 'refused'; readonly seq: number; readonly reasonCode: number | null; readonly attempts: number };

export interface Delivery {
  readonly batch: Batch;
  inFlight: boolean;
  /** Monotonic; not sent again before. */
  notBeforeMs: number;
  /** Connections that ended while it was on its way. */
  losses: number;
  obstacle: Obstacle | null;
  readonly refusals: RefusalHistory;
  /** It cannot be replaced: it is only sent again. */
  isFinal: boolean;
  readonly backoff: Backoff;
  readonly noReceiver: Backoff;
}

const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 60_000;
const NO_RECEIVER_FIRST_MS = 5000;
const NO_RECEIVER_MAX_MS = 60_000;
const NOT_SENT_RETRY_MS = 1000;
/** Sealed batches on their way at a time. */
const WINDOW = 4;
/** Batches in the window at most, those that the broker refuses among them: they leave their places to others. */
const MAX_TAKEN = 8;
/** From this many losses on a batch is suspected to be their cause: it is sent alone, and with growing delays. */
const SUSPECT_LOSSES = 3;

/** A refused batch that is not to be sent again as it is. */
export interface Replaceable {
  readonly delivery: Delivery;
  readonly answer: Exclude<RefusalAnswer, 'keep'>;
}

/**
 * The sealed batches of a stream that the broker has not acknowledged: a few at a time, sent in order of their
 * number, each sent again until it is acknowledged or replaced.
 */
export class DeliveryWindow {
  readonly #random: () => number;
  readonly #deliveries = new Map<number, Delivery>();
  readonly #probe: Probe;
  /** Acknowledged batches that held records. */
  #acknowledged = 0;

  constructor(random: () => number) {
    this.#random = random;
    this.#probe = new Probe(random);
  }

  /** Batches in the window. */
  get taken(): number {
    return this.#deliveries.size;
  }

  get records(): number {
    return [...this.#deliveries.values()].reduce((sum, { batch }) => sum + batch.recordCount, 0);
  }

  /** When the oldest of them was sealed; null when there is none. */
  get oldestAt(): number | null {
    const times = [...this.#deliveries.values()].map(({ batch }) => batch.createdAt);
    return times.length === 0 ? null : Math.min(...times);
  }

  get free(): number {
    // Nothing that is sealed behind a refusal of the whole stream would be taken.
    const others = this.#isStreamRefused() ? 0 : [...this.#deliveries.values()].filter(isRefused).length;
    return Math.min(WINDOW + others, MAX_TAKEN) - this.#deliveries.size;
  }

  /** The obstacle of the lowest number that has one; a refusal before a missing receiver. */
  get obstacle(): Obstacle | null {
    const obstacles = [...this.#deliveries.values()].map(({ obstacle }) => obstacle).filter((one) => one !== null);
    return obstacles.find(({ kind }) => kind === 'refused') ?? obstacles[0] ?? null;
  }

  has(seq: number): boolean {
    return this.#deliveries.has(seq);
  }

  add(batch: Batch): void {
    this.#deliveries.set(batch.seq, {
      batch,
      inFlight: false,
      notBeforeMs: -Infinity,
      losses: 0,
      obstacle: null,
      refusals: noRefusal(),
      isFinal: false,
      backoff: this.#backoff(RETRY_FIRST_MS, RETRY_MAX_MS),
      noReceiver: this.#backoff(NO_RECEIVER_FIRST_MS, NO_RECEIVER_MAX_MS),
    });
  }

  /** The first refused batch to split or to park; one above `maxBytes` is split before it is refused. */
  replaceable(maxBytes: number): Replaceable | undefined {
    for (const delivery of this.#deliveries.values()) {
      if (delivery.inFlight || delivery.isFinal) continue;
      const { recordCount, body } = delivery.batch;
      if (recordCount > 1 && body.byteLength > maxBytes) return { delivery, answer: 'split' };
      const answer = answerTo(delivery.refusals, recordCount, this.#acknowledged);
      if (answer !== 'keep') return { delivery, answer };
    }
    return undefined;
  }

  /** Takes a batch out that is about to be replaced. */
  remove(seq: number): void {
    this.#deliveries.delete(seq);
  }

  /** Takes a batch back that cannot be replaced: it is only sent again. */
  takeBack(delivery: Delivery): void {
    delivery.isFinal = true;
    this.#deliveries.set(delivery.batch.seq, delivery);
  }

  /** Notes that a batch is being sent. */
  sent(delivery: Delivery): void {
    delivery.inFlight = true;
    delivery.refusals.acknowledgedAtSend ??= this.#acknowledged;
  }

  /** The batch to send now, or undefined. */
  next(nowMs: number): Delivery | undefined {
    const all = [...this.#deliveries.values()];
    const busy = all.filter(({ inFlight }) => inFlight);
    if (busy.some(isSuspect)) return undefined;
    const refused = this.#nothingPassed();
    if (this.#isStreamRefused()) return busy.length === 0 ? this.#probe.next(all.toSorted(bySeq), nowMs) : undefined;
    const probe = busy.length === 0 ? this.#probe.next(refused, nowMs) : undefined;
    const due = all.filter(
      (delivery) => !delivery.inFlight && !refused.includes(delivery) && delivery.notBeforeMs <= nowMs,
    );
    const alone = busy.length === 0 ? (leastSuspect(due) ?? probe) : undefined;
    return due.find((delivery) => !isSuspect(delivery)) ?? alone;
  }

  /** Notes what became of a publish; true when the batch left the window. */
  settle(delivery: Delivery, outcome: PublishOutcome, nowMs: number): boolean {
    delivery.inFlight = false;
    if (outcome.kind !== 'acknowledged') {
      this.#keep(delivery, outcome, nowMs);
      return false;
    }
    this.#deliveries.delete(delivery.batch.seq);
    if (delivery.batch.recordCount > 0) this.#acknowledged += 1;
    this.#probe.passed(nowMs);
    if (isRefused(delivery)) this.#release(nowMs);
    this.receiverHeard(nowMs);
    return true;
  }

  /** A new connection: what only waited for one, or for a receiver, is tried at once. */
  connected(nowMs: number): void {
    for (const delivery of this.#deliveries.values())
      if (delivery.obstacle?.kind !== 'refused') delivery.notBeforeMs = nowMs;
  }

  /** Somebody receives: what waited for that is tried at once. */
  receiverHeard(nowMs: number): void {
    for (const delivery of this.#deliveries.values())
      if (delivery.obstacle?.kind === 'no-receiver') delivery.notBeforeMs = nowMs;
  }

  /** Monotonic instant of the next retry, or undefined. */
  wakeAtMs(): number | undefined {
    const refused = this.#nothingPassed();
    const others = [...this.#deliveries.values()].filter((one) => !one.inFlight && !refused.includes(one));
    const times = this.#isStreamRefused() ? [] : others.map(({ notBeforeMs }) => notBeforeMs);
    if (refused.length > 0) times.push(this.#probe.dueMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Refused batches, in order of their number, since whose refusal the broker has taken nothing of the stream. */
  #nothingPassed(): readonly Delivery[] {
    return [...this.#deliveries.values()]
      .filter((one) => isRefused(one) && !one.inFlight && one.refusals.acknowledgedAtRefusal === this.#acknowledged)
      .toSorted(bySeq);
  }

  /** Whether the broker refuses the topic, the user or more data: no other batch would fare better. */
  #isStreamRefused(): boolean {
    return [...this.#deliveries.values()].some(
      ({ refusals: { cause, acknowledgedAtRefusal } }) =>
        cause === 'other' && acknowledgedAtRefusal === this.#acknowledged,
    );
  }

  /** What was refused is taken: the others may be, too. */
  #release(nowMs: number): void {
    for (const delivery of this.#deliveries.values()) {
      if (!isRefused(delivery)) continue;
      delivery.notBeforeMs = nowMs;
      delivery.backoff.reset();
    }
  }

  #keep(delivery: Delivery, outcome: Exclude<PublishOutcome, { kind: 'acknowledged' }>, nowMs: number): void {
    switch (outcome.kind) {
      case 'no-subscriber':
        delivery.notBeforeMs = nowMs + delivery.noReceiver.nextDelayMs();
        delivery.obstacle = { kind: 'no-receiver', seq: delivery.batch.seq };
        break;
      case 'refused':
        this.#refused(delivery, outcome.reasonCode);
        this.#postpone(delivery, outcome.reasonCode, nowMs);
        break;
      case 'connection-lost':
        if (isSuspect(delivery)) this.#refused(delivery, null);
        delivery.losses += 1;
        if (isSuspect(delivery)) this.#postpone(delivery, null, nowMs);
        break;
      case 'not-sent':
        delivery.notBeforeMs = nowMs + NOT_SENT_RETRY_MS;
        this.#probe.notBefore(delivery.notBeforeMs);
        break;
    }
  }

  #refused({ refusals }: Delivery, reasonCode: number | null): void {
    refusals.cause = causeOf(reasonCode);
    refusals.acknowledgedAtRefusal ??= this.#acknowledged;
    if (refusals.cause === 'unclear') refusals.unclear += 1;
    else if (refusals.cause !== 'other') refusals.certain += 1;
  }

  #postpone(delivery: Delivery, reasonCode: number | null, nowMs: number): void {
    delivery.notBeforeMs = nowMs + delivery.backoff.nextDelayMs();
    if (delivery.refusals.acknowledgedAtRefusal === this.#acknowledged) this.#probe.refused(nowMs);
    delivery.obstacle = {
      kind: 'refused',
      seq: delivery.batch.seq,
      reasonCode,
      attempts: delivery.backoff.attempt,
    };
  }

  #backoff(firstMs: number, maxMs: number): Backoff {
    return new Backoff({ firstMs, maxMs, jitter: 0.5, random: this.#random });
  }
}

const bySeq = (a: Delivery, b: Delivery): number => a.batch.seq - b.batch.seq;

const isRefused = ({ obstacle }: Delivery): boolean => obstacle?.kind === 'refused';

const isSuspect = ({ losses }: Delivery): boolean => losses >= SUSPECT_LOSSES;

const leastSuspect = (due: readonly Delivery[]): Delivery | undefined => due.toSorted((a, b) => a.losses - b.losses)[0];
