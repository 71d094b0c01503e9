import type { Lane } from '../model/batch.ts';
import type { BrokerSettings } from '../model/plan.ts';
import { sleep, type Clock, type Timer } from '../runtime/clock.ts';
import { ERROR_CODES } from '../runtime/error-codes.ts';
import { GatewayError, messageOf } from '../runtime/errors.ts';
import { background, type Service } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { Backoff } from '../runtime/retry.ts';
import type { BrokerAnswer } from './broker-answer.ts';
import { Connection, type BrokerLimits } from './connection.ts';
import { bare, connectOptions, type Credentials } from './connect-options.ts';
import { GOODBYE_MS } from './goodbye.ts';
import { FIRST_FAILURE, outcomeOf, packetBytes } from './publish-outcome.ts';
import type { Publisher, PublishOutcome, PublishProperties, UpstreamStatus } from './publisher.ts';
import { SendQueue } from './send-queue.ts';
import { statusTopic } from './topics.ts';

export interface UpstreamOptions {
  readonly gateway: string;
  readonly epoch: string;
  readonly credentials: Credentials;
  /** A connection without CONNACK for this long is given up. */
  readonly connackDeadlineMs?: number;
  /** A publish without PUBACK for this long drops the connection. */
  readonly ackDeadlineMs?: number;
  readonly reconnectFirstMs?: number;
  /** No delay before a connection is longer, whatever the broker answered. */
  readonly reconnectMaxMs?: number;
}

export interface UpstreamDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly random: () => number;
}

const CONNACK_DEADLINE_MS = 15_000;
const ACK_DEADLINE_MS = 30_000;
const RECONNECT_FIRST_MS = 1000;
/** So that a broker that is well again is found within a minute. */
const RECONNECT_MAX_MS = 45_000;
/** A connection that lasted this long, or took a batch, is good: the next attempt starts from the shortest delay again. */
const STABLE_MS = 30_000;
const MAX_WINDOW = 20;
const PACKET_TOO_LARGE = 0x95;

/**
 * One broker: connects, reconnects with a jittered back-off, keeps the window that the broker allows, and says what
 * became of each publish. A broker that is absent is a state, not an error. Nothing is kept here: what did not get
 * through goes back to the caller, who has it on disk.
 */
export class Upstream implements Service, Publisher {
  readonly #settings: BrokerSettings;
  readonly #options: UpstreamOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #metrics: Metrics;
  readonly #random: () => number;
  readonly #backoff: Backoff;
  readonly #listeners = new Set<(online: boolean) => void>();
  readonly #subscriptions = new Map<string, Set<(payload: Uint8Array) => void>>();
  readonly #queue = new SendQueue();
  #limits: BrokerLimits = { receiveMaximum: 1, maxPacketBytes: Infinity, retainAvailable: true };
  #connection: Connection | undefined;
  #retry: Timer | undefined;
  /** Messages on their way at a time, as far as the broker's Receive Maximum allows. */
  #window = MAX_WINDOW;
  #hasWill = true;
  #running = false;
  #state: UpstreamStatus['state'] = 'offline';
  #sinceAt = 0;
  #connectedAtMs = 0;
  #error: UpstreamStatus['error'] = null;

  constructor(settings: BrokerSettings, options: UpstreamOptions, deps: UpstreamDeps) {
    this.#settings = settings;
    this.#options = options;
    this.#clock = deps.clock;
    this.#log = deps.log.child({ broker: settings.nodeId });
    this.#metrics = deps.metrics;
    this.#random = deps.random;
    this.#backoff = new Backoff({
      firstMs: options.reconnectFirstMs ?? RECONNECT_FIRST_MS,
      maxMs: options.reconnectMaxMs ?? RECONNECT_MAX_MS,
      jitter: 0.5,
      random: deps.random,
    });
  }

  get protocol(): 5 | 4 {
    return this.#settings.protocol;
  }

  get online(): boolean {
    return this.#state === 'online';
  }

  get maxPacketBytes(): number {
    return this.#limits.maxPacketBytes;
  }

  status(): UpstreamStatus {
    return {
      broker: this.#settings.nodeId,
      name: this.#settings.name,
      state: this.#state,
      sinceAt: this.#sinceAt,
      error: this.#error,
      inFlight: this.#connection?.inFlight ?? 0,
    };
  }

  /** Resolves at once: the connection is made in the background, now or whenever the broker is there. */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    this.#connect();
  }

  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#retry?.cancel();
    const connection = this.#connection;
    if (connection !== undefined && this.online)
      await Promise.race([this.#sayState(connection, 'offline'), sleep(this.#clock, GOODBYE_MS)]);
    await connection?.close();
    this.#metrics.forget('cigale_upstream_online', { broker: this.#settings.nodeId });
  }

  onChange(listener: (online: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  subscribe(topic: string, listener: (payload: Uint8Array) => void): () => void {
    const listeners = this.#subscriptions.get(topic) ?? new Set();
    this.#subscriptions.set(topic, listeners.add(listener));
    if (this.online) this.#follow([topic]);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      this.#subscriptions.delete(topic);
      if (this.#connection !== undefined)
        background(this.#connection.unsubscribe(topic), this.#log, 'a topic could not be left');
    };
  }

  publish(topic: string, payload: Uint8Array, properties: PublishProperties): Promise<PublishOutcome> {
    if (!this.online) return Promise.resolve({ kind: 'not-sent' });
    if (packetBytes(topic, payload, properties) > this.#limits.maxPacketBytes)
      return Promise.resolve({ kind: 'refused', reasonCode: PACKET_TOO_LARGE });
    const { lane = 'live' } = properties;
    if (this.#hasRoom(lane)) return this.#send(topic, payload, properties);
    return new Promise((resolve) => {
      const isWaiting = this.#queue.add(lane, {
        send: () => resolve(this.#send(topic, payload, properties)),
        giveUp: () => resolve({ kind: 'not-sent' }),
      });
      if (!isWaiting) resolve({ kind: 'not-sent' });
    });
  }

  /** The last place is kept for live data: a backlog that fills the broker's Receive Maximum must not hold it up. */
  #hasRoom(lane: Lane): boolean {
    const places = Math.min(this.#window, this.#limits.receiveMaximum);
    const kept = lane === 'backlog' && places > 1 ? 1 : 0;
    return this.online && (this.#connection?.inFlight ?? 0) < places - kept;
  }

  async #send(topic: string, payload: Uint8Array, properties: PublishProperties): Promise<PublishOutcome> {
    const connection = this.#connection;
    if (connection === undefined || !this.online) return { kind: 'not-sent' };
    const retain = properties.retain === true && this.#limits.retainAvailable;
    const reason = await connection.publish(topic, payload, { ...properties, retain });
    if (reason !== null && reason < FIRST_FAILURE) this.#backoff.reset();
    this.#queue.sendWhile((lane) => this.#hasRoom(lane));
    return outcomeOf(reason, this.#settings.allowNoSubscriber);
  }

  #connect(): void {
    this.#become('connecting');
    background(this.#open(), this.#log, 'an attempt to connect failed in a way nobody foresaw');
  }

  async #open(): Promise<void> {
    const connection = await this.#prepare();
    if (connection === undefined || !this.#running) return;
    this.#connection = connection;
    const limits = await connection.open();
    if (limits === undefined || this.#connection !== connection || !this.#running) return;
    this.#limits = limits;
    this.#connectedAtMs = this.#clock.monotonicMs();
    this.#error = null;
    await this.#sayState(connection, 'online');
    if (this.#connection !== connection || !this.#running) return;
    this.#become('online');
    this.#log.info({ url: bare(this.#settings.url), ...limits }, 'connected to the broker');
    this.#follow([...this.#subscriptions.keys()]);
    for (const listener of this.#listeners) listener(true);
  }

  async #prepare(): Promise<Connection | undefined> {
    const { gateway, epoch, credentials } = this.#options;
    const { connackDeadlineMs = CONNACK_DEADLINE_MS, ackDeadlineMs = ACK_DEADLINE_MS } = this.#options;
    const clientId = this.#settings.clientId || `cigale-${gateway}-${this.#settings.nodeId}`;
    try {
      const options = await connectOptions(this.#settings, clientId, credentials);
      const payload = Buffer.from(JSON.stringify({ state: 'offline', epoch }));
      const will = { topic: statusTopic(this.#settings.topicPrefix, gateway), payload, qos: 1, retain: true } as const;
      const mine: Connection = new Connection(
        this.#settings.url,
        { ...options, ...(this.#hasWill && { will }) },
        {
          message: (topic, payload) => this.#deliver(topic, payload),
          closed: (fault, answer) => {
            if (this.#connection === mine) this.#lost(fault, answer);
          },
        },
        this.#clock,
        { connackMs: connackDeadlineMs, pubackMs: ackDeadlineMs },
      );
      return mine;
    } catch (error) {
      this.#lost(error instanceof GatewayError ? error : new GatewayError('BROKER_CONFIG', messageOf(error)));
      return undefined;
    }
  }

  #lost(fault: GatewayError, answer?: BrokerAnswer): void {
    const wasOnline = this.online;
    this.#connection = undefined;
    this.#become('offline');
    this.#queue.giveUp();
    if (wasOnline) for (const listener of this.#listeners) listener(false);
    if (!this.#running) return;
    const text = answer?.status ?? ERROR_CODES[fault.code].hint;
    this.#error = { code: fault.code, message: fault.message, text };
    this.#metrics.count('cigale_upstream_failures_total', 'Connections to a broker that failed or ended.', {
      broker: this.#settings.nodeId,
      code: fault.code,
    });
    if (wasOnline && this.#clock.monotonicMs() - this.#connectedAtMs >= STABLE_MS) this.#backoff.reset();
    if (answer?.handling === 'reconnect without will') this.#hasWill = false;
    if (answer?.handling === 'reconnect with fewer') this.#window = Math.max(1, Math.floor(this.#window / 2));
    const delayMs = this.#delayMs(answer);
    this.#log.warn(
      { code: fault.code, error: fault.message, ...fault.context, answer: text.en, retryInMs: delayMs },
      'no connection to the broker; data is kept meanwhile',
    );
    this.#retry = this.#clock.after(delayMs, () => this.#connect());
  }

  /** Where an answer asks for patience, as many gateways as got it must not come back in step. */
  #delayMs(answer: BrokerAnswer | undefined): number {
    const { reconnectMaxMs = RECONNECT_MAX_MS } = this.#options;
    const patienceMs = Math.min(reconnectMaxMs, (answer?.waitAtLeastMs ?? 0) * (1 + this.#random() / 2));
    return Math.max(this.#backoff.nextDelayMs(), Math.round(patienceMs));
  }

  #become(state: UpstreamStatus['state']): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#sinceAt = this.#clock.nowMs();
    this.#metrics.gauge('cigale_upstream_online', 'Whether the broker is connected.', this.online ? 1 : 0, {
      broker: this.#settings.nodeId,
    });
  }

  async #sayState(connection: Connection, state: 'online' | 'offline'): Promise<void> {
    const topic = statusTopic(this.#settings.topicPrefix, this.#options.gateway);
    const payload = Buffer.from(JSON.stringify({ state, epoch: this.#options.epoch }));
    const reason = await connection.publish(topic, payload, { retain: this.#limits.retainAvailable });
    if (reason !== null && reason >= FIRST_FAILURE)
      this.#log.warn({ topic, reasonCode: reason }, 'the broker refused the status topic');
  }

  #follow(topics: readonly string[]): void {
    const followed = async (): Promise<void> => {
      const granted = await this.#connection?.subscribe(topics);
      if (granted === false && this.online) this.#log.warn({ topics }, 'the broker refused a subscription');
    };
    background(followed(), this.#log, 'a subscription failed');
  }

  #deliver(topic: string, payload: Uint8Array): void {
    for (const listener of this.#subscriptions.get(topic) ?? []) listener(payload);
  }
}
