import type { IPublishPacket, MqttClient } from 'mqtt';
import { every, type Clock, type Timer } from '../runtime/clock.ts';
import { GatewayError, messageOf } from '../runtime/errors.ts';
import { background, type Service } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import { connectOptions, type Credentials } from './connect-options.ts';
import { sayGoodbye } from './goodbye.ts';
import { RecentRecords } from './recent-records.ts';
import { readBatch, type BatchAddress, type ReceivedBatch } from './received-batch.ts';
import { Sequence } from './sequence.ts';

export interface ReceiveOptions {
  readonly brokerUrl: string;
  readonly prefix: string;
  /** Absent: every gateway. */
  readonly gateway?: string;
  /** Absent: every stream. */
  readonly stream?: string;
  readonly protocol?: 5 | 4;
  readonly clientId: string;
  readonly credentials?: Credentials;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Keeps the session at the broker for a week while the receiver is away. */
  readonly persistent?: boolean;
  /** Asks for everything that the gateway still keeps, not only for what comes from now on. */
  readonly history?: boolean;
  /** How long a missing number may be late before it is asked for. */
  readonly resendAfterMs?: number;
  /** One record of a batch that was not received before; the broker is answered once it resolved for all of them. */
  readonly onRecord: (record: Readonly<Record<string, unknown>>, batch: ReceivedBatch) => void | Promise<void>;
  readonly onProblem: (problem: ReceiveProblem) => void;
}

export interface ReceiveProblem {
  /** `gone`: the gateway no longer has what was missing; `conflict`: another body under a number already received. */
  readonly kind: 'bad-hash' | 'malformed' | 'conflict' | 'gap' | 'gone' | 'not-kept' | 'connection';
  readonly topic: string;
  readonly detail: string;
}

export interface ReceiveCounters {
  readonly batches: number;
  readonly records: number;
  readonly repeats: number;
  /** Records of new batches that came before in another one: it was refused after all, and split. */
  readonly repeatedRecords: number;
  readonly rejected: number;
  /** Numbers known to exist and not received. */
  readonly missing: number;
  readonly asked: number;
  readonly gone: number;
  readonly wireBytes: number;
}

export interface ReceiveDeps {
  readonly clock: Clock;
  readonly log: Log;
}

const RECONNECT_MS = 2000;
const SESSION_SECONDS = 7 * 86_400;
const RESEND_AFTER_MS = 10_000;
const MAX_NUMBERS_PER_REQUEST = 100;
const MAX_SEQUENCES = 10_000;

/** Starts a reference receiver: it resolves once subscribed. */
export async function receiveBatches(options: ReceiveOptions, deps: ReceiveDeps): Promise<BatchReceiver> {
  const receiver = new BatchReceiver(options, deps);
  await receiver.start();
  return receiver;
}

/**
 * What a receiver has to do (`docs/batches.md`): check number and hash, keep the first body of a number, drop repeats,
 * answer the broker only once the records are safe, and ask again for numbers that do not come.
 */
export class BatchReceiver implements Service {
  readonly #options: ReceiveOptions;
  readonly #deps: ReceiveDeps;
  readonly #sequences = new Map<string, Sequence>();
  readonly #counters = {
    batches: 0,
    records: 0,
    repeats: 0,
    repeatedRecords: 0,
    rejected: 0,
    asked: 0,
    gone: 0,
    wireBytes: 0,
  };
  readonly #recent = new RecentRecords();
  #client: MqttClient | undefined;
  #timer: Timer | undefined;

  constructor(options: ReceiveOptions, deps: ReceiveDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  counters(): ReceiveCounters {
    let missing = 0;
    for (const sequence of this.#sequences.values())
      for (const { from, to } of sequence.missing) missing += to - from + 1;
    return { ...this.#counters, missing };
  }

  async start(): Promise<void> {
    const { brokerUrl, prefix, gateway = '+', stream = '+', clientId, credentials = {}, persistent } = this.#options;
    const { protocol = 5, caFile = '', certFile = '', keyFile = '', resendAfterMs = RESEND_AFTER_MS } = this.#options;
    const settings = { url: brokerUrl, protocol, caFile, certFile, keyFile };
    const options = await connectOptions(settings, clientId, credentials);
    const { connectAsync } = await import('mqtt');
    const client = await connectAsync(brokerUrl, {
      ...options,
      manualConnect: false,
      reconnectPeriod: RECONNECT_MS,
      // A broker that refuses for a while (being started, overloaded, its users reloaded) is not given up once it was there.
      reconnectOnConnackError: true,
      resubscribe: true,
      clean: persistent !== true,
      ...(persistent === true && protocol === 5 ? { properties: { sessionExpiryInterval: SESSION_SECONDS } } : {}),
    }).catch((error: unknown) => {
      throw new GatewayError('BROKER_UNREACHABLE', messageOf(error), { cause: error });
    });
    this.#client = client;
    client.on('error', (error) => this.#problem('connection', brokerUrl, messageOf(error)));
    // Behind a long backlog the answer to a ping comes late: what arrives shows that the line is well.
    client.on('packetreceive', ({ cmd }) => {
      if (cmd === 'publish') client.reschedulePing();
    });
    client.handleMessage = (packet, done) =>
      background(
        this.#handle(packet, () => done()),
        this.#deps.log,
        'a message could not be answered',
      );
    const base = `${prefix}/${gateway}/${stream}`;
    await client.subscribeAsync([`${base}/batch/#`, `${base}/state`, `${base}/notice`], { qos: 1 });
    this.#timer = every(this.#deps.clock, Math.max(1, resendAfterMs / 2), () => this.#askForMissing());
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) await sayGoodbye(client, this.#deps.clock);
  }

  /** The library answers the broker (PUBACK) when `done` is called, and takes the next message only then. */
  async #handle(packet: IPublishPacket, done: () => void): Promise<void> {
    try {
      await this.#received(packet);
    } catch (error) {
      // Its number stays missing and is asked for again: the gateway still has it.
      this.#problem('not-kept', packet.topic, messageOf(error));
    }
    done();
  }

  async #received(packet: IPublishPacket): Promise<void> {
    const { prefix } = this.#options;
    const levels = packet.topic.slice(prefix.length + 1).split('/');
    const [gateway = '', stream = '', what, seq, sha256] = levels;
    const payload = Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload);
    if (what === 'state') this.#stateSaid({ gateway, stream }, payload, packet.topic);
    else if (what === 'notice') this.#noticeSaid({ gateway, stream }, payload, packet.topic);
    else if (what === 'batch') {
      const address = {
        gateway,
        stream,
        ...(seq === undefined ? {} : { seq }),
        ...(sha256 === undefined ? {} : { sha256 }),
      };
      await this.#batchCame(address, payload, packet);
    }
  }

  async #batchCame(address: BatchAddress, payload: Uint8Array, packet: IPublishPacket): Promise<void> {
    const result = await readBatch(address, payload, textProperties(packet));
    this.#counters.wireBytes += payload.byteLength;
    if (result.kind !== 'batch') {
      this.#counters.rejected += 1;
      this.#problem(result.kind, packet.topic, result.detail);
      return;
    }
    const { batch } = result;
    const sequence = this.#sequence(batch, batch.epoch);
    const verdict = sequence.classify(batch.seq, batch.sha256);
    if (verdict !== 'new') {
      this.#counters.repeats += 1;
      // What was received before the gateway learnt of a refusal stays; its records come again and are dropped.
      if (verdict === 'conflict' && !batch.isReplaced)
        this.#problem('conflict', packet.topic, `number ${batch.seq} came with another body`);
      return;
    }
    const skipped = sequence.started && batch.seq > sequence.last + 1;
    sequence.expect(batch.seq, batch.seq, this.#deps.clock.monotonicMs());
    const records = await this.#keep(batch);
    sequence.take(batch.seq, batch.sha256);
    if (skipped) this.#problem('gap', packet.topic, `numbers before ${batch.seq} are missing`);
    this.#counters.batches += 1;
    this.#counters.records += records;
  }

  /** How many of the records were not received before. */
  async #keep(batch: ReceivedBatch): Promise<number> {
    let kept = 0;
    for (const record of batch.records) {
      if (this.#recent.has(record, batch)) {
        this.#counters.repeatedRecords += 1;
        continue;
      }
      await this.#options.onRecord(record, batch);
      this.#recent.add(record, batch);
      kept += 1;
    }
    return kept;
  }

  #stateSaid(of: BatchAddress, payload: Uint8Array, topic: string): void {
    const said = objectOf(payload);
    const { epoch, keptFrom, lastSeq } = said;
    if (typeof epoch !== 'string' || typeof lastSeq !== 'number' || typeof keptFrom !== 'number') {
      if (payload.byteLength > 0) this.#problem('malformed', topic, 'the state cannot be read');
      return;
    }
    const sequence = this.#sequence(of, epoch);
    if (sequence.started || this.#options.history === true)
      sequence.expect(Math.max(1, keptFrom), lastSeq, this.#deps.clock.monotonicMs());
    else sequence.startAfter(lastSeq);
  }

  #noticeSaid(of: BatchAddress, payload: Uint8Array, topic: string): void {
    const { epoch, from, to, reason } = objectOf(payload);
    if (typeof epoch !== 'string' || typeof from !== 'number' || typeof to !== 'number') return;
    if (reason === 'not-sealed') return;
    const gone = this.#sequence(of, epoch).giveUp(from, to);
    this.#counters.gone += gone;
    if (gone > 0) this.#problem('gone', topic, `numbers ${from} to ${to} will not come: ${String(reason)}`);
  }

  #askForMissing(): void {
    const client = this.#client;
    if (client?.connected !== true) return;
    for (const [key, sequence] of this.#sequences) {
      const range = sequence.ask(this.#deps.clock.monotonicMs(), MAX_NUMBERS_PER_REQUEST);
      if (range === undefined) continue;
      const [gateway = '', stream = '', epoch = ''] = key.split('/');
      this.#counters.asked += 1;
      const request = JSON.stringify({ epoch, from: range.from, to: range.to });
      background(
        client.publishAsync(`${this.#options.prefix}/${gateway}/${stream}/resend`, request, { qos: 1 }),
        this.#deps.log,
        'a request for missing batches was not sent',
      );
    }
  }

  #sequence(of: { readonly gateway: string; readonly stream: string }, epoch: string): Sequence {
    const key = `${of.gateway}/${of.stream}/${epoch}`;
    let sequence = this.#sequences.get(key);
    if (sequence === undefined) {
      const [oldest] = this.#sequences.keys();
      if (this.#sequences.size >= MAX_SEQUENCES && oldest !== undefined) this.#sequences.delete(oldest);
      sequence = new Sequence(this.#options.resendAfterMs ?? RESEND_AFTER_MS);
      this.#sequences.set(key, sequence);
    }
    return sequence;
  }

  #problem(kind: ReceiveProblem['kind'], topic: string, detail: string): void {
    this.#options.onProblem({ kind, topic, detail });
  }
}

function textProperties(packet: IPublishPacket): Readonly<Record<string, string>> {
  const entries = Object.entries(packet.properties?.userProperties ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, Array.isArray(value) ? (value[0] ?? '') : value]));
}

function objectOf(payload: Uint8Array): Partial<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString());
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    // Not JSON: the callers find their fields missing and say so.
    return {};
  }
}
