import { createSocket, type Socket } from 'node:dgram';
import { every, type Clock, type Timer } from '../../runtime/clock.ts';
import type { Service } from '../../runtime/lifecycle.ts';

const PROTOCOL_VERSION = 2;
const PUSH_DATA = 0;
const PULL_DATA = 2;
const KEEPALIVE_MS = 10_000;
const CHANNELS_MHZ = [868.1, 868.3, 868.5] as const;

export interface ForwarderOptions {
  readonly host: string;
  readonly port: number;
  /** 16 hex digits. */
  readonly gatewayEui: string;
  readonly clock: Clock;
  readonly random: () => number;
}

/** A concentrator's packet forwarder, client side (Semtech UDP protocol, PROTOCOL.TXT v1.4): PULL_DATA keepalive and PUSH_DATA. */
export class SimulatedForwarder implements Service {
  readonly #options: ForwarderOptions;
  readonly #eui: Buffer;
  #up: Socket | undefined;
  #down: Socket | undefined;
  #keepalive: Timer | undefined;
  #acknowledged = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#eui = Buffer.from(options.gatewayEui, 'hex');
  }

  /** PUSH_ACK datagrams received. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  start(): Promise<void> {
    // Two sockets, as the real program has: PULL_DATA comes from another port than PUSH_DATA.
    this.#up = createSocket('udp4', (message) => {
      if (message.length === 4 && message[3] === 1) this.#acknowledged += 1;
    });
    this.#down = createSocket('udp4');
    for (const socket of [this.#up, this.#down]) socket.on('error', () => undefined);
    this.#pull();
    this.#keepalive = every(this.#options.clock, KEEPALIVE_MS, () => this.#pull());
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#keepalive?.cancel();
    for (const socket of [this.#up, this.#down]) {
      if (socket !== undefined) await new Promise<void>((resolve) => void socket.close(() => resolve()));
    }
    this.#up = undefined;
    this.#down = undefined;
  }

  /** Sends frames as one PUSH_DATA datagram. */
  push(frames: readonly Uint8Array[]): void {
    const rxpk = frames.map((frame) => this.#reception(frame));
    this.#send(this.#up, PUSH_DATA, Buffer.from(JSON.stringify({ rxpk })));
  }

  #pull(): void {
    this.#send(this.#down, PULL_DATA, Buffer.alloc(0));
  }

  #send(socket: Socket | undefined, type: number, body: Buffer): void {
    const header = Buffer.alloc(4);
    header[0] = PROTOCOL_VERSION;
    header.writeUInt16BE(Math.floor(this.#options.random() * 65_536), 1);
    header[3] = type;
    socket?.send(Buffer.concat([header, this.#eui, body]), this.#options.port, this.#options.host);
  }

  #reception(frame: Uint8Array): Readonly<Record<string, unknown>> {
    const { clock, random } = this.#options;
    const channel = Math.floor(random() * CHANNELS_MHZ.length);
    return {
      tmst: Math.floor(clock.monotonicMs() * 1000) >>> 0,
      chan: channel,
      rfch: 0,
      freq: CHANNELS_MHZ[channel],
      stat: 1,
      modu: 'LORA',
      datr: 'SF7BW125',
      codr: '4/5',
      lsnr: Math.round(90 - 40 * random()) / 10,
      rssi: -Math.round(60 + 40 * random()),
      size: frame.length,
      data: Buffer.from(frame).toString('base64'),
    };
  }
}
