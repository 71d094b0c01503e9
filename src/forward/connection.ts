import type { IClientOptions, MqttClient, Packet } from 'mqtt';
import type { Clock, Timer } from '../runtime/clock.ts';
import { GatewayError, messageOf, systemCode } from '../runtime/errors.ts';
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
  closed(fault: GatewayError): void;
}

/** The broker's answer to a publish; null when the connection ended before it came. */
export type ReasonCode = number | null;

interface InFlight {
  readonly resolve: (reason: ReasonCode) => void;
  readonly deadline: Timer;
}

/** Node's and OpenSSL's codes for a certificate or handshake that was not accepted. */
const TLS_CODE = /CERT|TLS|SSL|UNABLE_TO/;

/**
 * One MQTT connection from CONNECT to its end; it is not used again. Acknowledgements are matched here by packet id
 * rather than by the library's callbacks, which do not tell PUBACK 0x10 from 0x00.
 */
export class Connection {
  readonly #url: string;
  readonly #options: IClientOptions;
  readonly #events: ConnectionEvents;
  readonly #clock: Clock;
  readonly #ackDeadlineMs: number;
  readonly #inFlight = new Map<number, InFlight>();
  readonly #codes = new PubackCodes();
  #client: MqttClient | undefined;
  #closed = false;

  constructor(url: string, options: IClientOptions, events: ConnectionEvents, clock: Clock, ackDeadlineMs: number) {
    this.#url = url;
    this.#options = options;
    this.#events = events;
    this.#clock = clock;
    this.#ackDeadlineMs = ackDeadlineMs;
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
      client.on('error', (error) => {
        this.#end(faultOf(error));
        resolve(undefined);
      });
      client.on('close', () => {
        this.#end(new GatewayError('BROKER_UNREACHABLE', 'the connection was closed'));
        resolve(undefined);
      });
      client.on('disconnect', (packet) => {
        const reasonCode = packet.reasonCode ?? 0;
        this.#end(
          new GatewayError('BROKER_REFUSED', `the broker disconnected with reason code ${reasonCode}`, {
            context: { reasonCode },
          }),
        );
      });
      client.on('packetreceive', (packet) => this.#received(packet));
      client.on('message', (topic, payload) => this.#events.message(topic, payload));
      client.on('connect', ({ properties = {} }) => {
        if (properties.maximumQoS === 0)
          this.#end(new GatewayError('BROKER_CONFIG', 'the broker offers QoS 0 only, which acknowledges nothing'));
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
      const deadline = this.#clock.after(this.#ackDeadlineMs, () => {
        this.#end(new GatewayError('BROKER_UNREACHABLE', 'the broker did not acknowledge in time'));
      });
      this.#inFlight.set(client.getLastMessageId(), { resolve, deadline });
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
    this.#end(new GatewayError('BROKER_UNREACHABLE', 'closed by the gateway'), false);
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

  #end(fault: GatewayError, destroy = true): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const [messageId, { resolve, deadline }] of this.#inFlight) {
      deadline.cancel();
      this.#client?.removeOutgoingMessage(messageId);
      resolve(null);
    }
    this.#inFlight.clear();
    if (destroy) this.#client?.end(true);
    this.#events.closed(fault);
  }
}

function faultOf(error: Error): GatewayError {
  const code: unknown = 'code' in error ? error.code : undefined;
  if (typeof code === 'number')
    return new GatewayError('BROKER_REFUSED', messageOf(error), { context: { reasonCode: code }, cause: error });
  const refused = TLS_CODE.test(systemCode(error) ?? '');
  return new GatewayError(refused ? 'BROKER_REFUSED' : 'BROKER_UNREACHABLE', messageOf(error), {
    context: { systemCode: systemCode(error) ?? null },
    cause: error,
  });
}
