import type { IClientOptions, MqttClient, Packet } from 'mqtt';
import type { Clock, Timer } from '../runtime/clock.ts';
import { GatewayError, messageOf, systemCode } from '../runtime/errors.ts';
import type { BrokerAnswer } from './broker-answer.ts';
import { answerOf } from './broker-answers.ts';
import { sayGoodbye } from './goodbye.ts';
import { PubackCodes } from './puback-codes.ts';
import type { PublishProperties } from './publisher.ts';

/** What a broker said in its CONNACK, with the defaults of MQTT 5 §3.2.2.3. */
export interface BrokerLimits {
  readonly receiveMaximum: number;
  readonly maxPacketBytes: number;
  readonly retainAvailable: boolean;
}

export interface ConnectionEvents {
  message(topic: string, payload: Uint8Array): void;
  /** Once, for whatever reason; every publish in flight has resolved before. */
  closed(fault: GatewayError, answer: BrokerAnswer): void;
}

/** The broker's answer to a publish; null when the connection ended before it came. */
export type ReasonCode = number | null;

interface InFlight {
  readonly resolve: (reason: ReasonCode) => void;
  readonly deadline: Timer;
  readonly bytes: number;
}

/** How long a broker may take to answer: with CONNACK from the first attempt to reach it, with PUBACK from the publish. */
export interface Deadlines {
  readonly connackMs: number;
  readonly pubackMs: number;
}

const PACKET_TOO_LARGE = 0x95;
const QOS_NOT_SUPPORTED = 0x9b;

/** Node's and OpenSSL's codes for a certificate or handshake that was not accepted. */
const TLS_CODE = /CERT|TLS|SSL|UNABLE_TO/;
/** Node's codes for a host name without an address. */
const NAME_CODES: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'ENODATA']);

/**
 * One MQTT connection from CONNECT to its end; it is not used again. Acknowledgements are matched here by packet id
 * rather than by the library's callbacks, which do not tell PUBACK 0x10 from 0x00.
 */
export class Connection {
  readonly #url: string;
  readonly #options: IClientOptions;
  readonly #events: ConnectionEvents;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #inFlight = new Map<number, InFlight>();
  readonly #codes = new PubackCodes();
  #client: MqttClient | undefined;
  #connackDeadline: Timer | undefined;
  #closed = false;

  constructor(url: string, options: IClientOptions, events: ConnectionEvents, clock: Clock, deadlines: Deadlines) {
    this.#url = url;
    this.#options = options;
    this.#events = events;
    this.#clock = clock;
    this.#deadlines = deadlines;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Resolves with the broker's limits, or undefined when the connection failed (`closed` says why). */
  async open(): Promise<BrokerLimits | undefined> {
    const { connect } = await import('mqtt');
    if (this.#closed) return undefined;
    return new Promise((resolve) => {
      const client = connect(this.#url, this.#options);
      this.#client = client;
      if (this.#options.protocolVersion === 5)
        client.stream.prependListener('data', (chunk: Uint8Array) => this.#codes.read(chunk));
      const failed = (fault: GatewayError, answer: BrokerAnswer): void => {
        this.#end(fault, answer);
        resolve(undefined);
      };
      this.#connackDeadline = this.#clock.after(this.#deadlines.connackMs, () =>
        failed(unreachable('the broker did not answer the connection in time'), answerOf('line', 'no CONNACK')),
      );
      client.on('error', (error) => failed(...this.#readError(error, client.connected)));
      client.on('close', () => failed(unreachable('the connection was closed'), answerOf('line', 'closed')));
      client.on('disconnect', ({ reasonCode = 0 }) =>
        failed(
          refused(`the broker disconnected with reason code ${reasonCode}`, reasonCode),
          answerOf('DISCONNECT', reasonCode),
        ),
      );
      client.on('packetreceive', (packet) => this.#received(packet));
      client.on('message', (topic, payload) => this.#events.message(topic, payload));
      client.on('connect', ({ properties = {} }) => {
        this.#connackDeadline?.cancel();
        if (properties.maximumQoS === 0)
          this.#end(
            new GatewayError('BROKER_CONFIG', 'the broker offers QoS 0 only, which acknowledges nothing'),
            answerOf('DISCONNECT', QOS_NOT_SUPPORTED),
          );
        resolve({
          receiveMaximum: properties.receiveMaximum ?? 65_535,
          maxPacketBytes: properties.maximumPacketSize ?? Infinity,
          retainAvailable: properties.retainAvailable ?? true,
        });
      });
    });
  }

  /** Resolves with the PUBACK's reason code; the connection is dropped when none came within the deadline. */
  publish(topic: string, payload: Uint8Array, properties: PublishProperties): Promise<ReasonCode> {
    const client = this.#client;
    if (client === undefined || this.#closed || !client.connected) return Promise.resolve(null);
    return new Promise((resolve) => {
      client.publish(topic, Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength), {
        qos: 1,
        retain: properties.retain ?? false,
        properties: {
          ...(properties.contentType === undefined ? {} : { contentType: properties.contentType }),
          ...(properties.userProperties === undefined ? {} : { userProperties: { ...properties.userProperties } }),
        },
      });
      const deadline = this.#clock.after(this.#deadlines.pubackMs, () => {
        this.#end(unreachable('the broker did not acknowledge in time'), answerOf('line', 'no PUBACK'));
      });
      this.#inFlight.set(client.getLastMessageId(), { resolve, deadline, bytes: payload.byteLength });
    });
  }

  /** Resolves with whether the broker granted it. */
  async subscribe(topics: readonly string[]): Promise<boolean> {
    if (this.#client === undefined || this.#closed || topics.length === 0) return topics.length === 0;
    try {
      const granted = await this.#client.subscribeAsync([...topics], { qos: 1 });
      return granted.every(({ qos }) => qos < 128);
    } catch {
      // The broker refused, or the connection ended: `closed` tells which. Either way nothing will come.
      return false;
    }
  }

  async unsubscribe(topic: string): Promise<void> {
    if (this.#client === undefined || this.#closed) return;
    try {
      await this.#client.unsubscribeAsync(topic);
    } catch {
      // Only fails with the connection, and then the subscription is gone too: the start is clean.
    }
  }

  /** Sends DISCONNECT, so that the will is not published, and ends. */
  async close(): Promise<void> {
    const client = this.#client;
    const closed = this.#closed;
    this.#end(unreachable('closed by the gateway'), answerOf('line', 'closed'), false);
    if (client !== undefined && !closed) await sayGoodbye(client, this.#clock);
  }

  #received(packet: Packet): void {
    if (packet.cmd !== 'puback' || packet.messageId === undefined) return;
    const pending = this.#inFlight.get(packet.messageId);
    if (pending === undefined) return;
    this.#inFlight.delete(packet.messageId);
    pending.deadline.cancel();
    pending.resolve(this.#codes.take(packet.messageId) ?? packet.reasonCode ?? 0);
  }

  #end(fault: GatewayError, answer: BrokerAnswer, destroy = true): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connackDeadline?.cancel();
    // What the broker finds too large is not named: the largest that it has not acknowledged exceeds its limit for sure.
    const tooLarge =
      answer.handling === 'reconnect and split'
        ? [...this.#inFlight.values()].toSorted((a, b) => b.bytes - a.bytes)[0]
        : undefined;
    for (const [messageId, pending] of this.#inFlight) {
      pending.deadline.cancel();
      this.#client?.removeOutgoingMessage(messageId);
      pending.resolve(pending === tooLarge ? PACKET_TOO_LARGE : null);
    }
    this.#inFlight.clear();
    if (destroy) this.#client?.end(true);
    this.#events.closed(fault, answer);
  }

  #readError(error: Error, wasConnected: boolean): readonly [GatewayError, BrokerAnswer] {
    const code: unknown = 'code' in error ? error.code : undefined;
    if (typeof code === 'number') {
      const packet = this.#options.protocolVersion === 5 ? 'CONNACK' : 'CONNACK 3.1.1';
      return [refused(messageOf(error), code, error), answerOf(packet, code)];
    }
    const fault = (of: 'BROKER_REFUSED' | 'BROKER_UNREACHABLE'): GatewayError =>
      new GatewayError(of, messageOf(error), { context: { systemCode: systemCode(error) ?? null }, cause: error });
    const system = systemCode(error) ?? '';
    if (TLS_CODE.test(system)) return [fault('BROKER_REFUSED'), answerOf('line', 'certificate')];
    if (NAME_CODES.has(system)) return [fault('BROKER_UNREACHABLE'), answerOf('line', 'unknown host')];
    // Only a missing answer to a ping, and bytes that are no MQTT, come without a code.
    const isMute = wasConnected && system === '';
    return [fault('BROKER_UNREACHABLE'), answerOf('line', isMute ? 'half-open' : 'unreachable')];
  }
}

const unreachable = (message: string): GatewayError => new GatewayError('BROKER_UNREACHABLE', message);

const refused = (message: string, reasonCode: number, cause?: Error): GatewayError =>
  new GatewayError('BROKER_REFUSED', message, { context: { reasonCode }, ...(cause && { cause }) });
