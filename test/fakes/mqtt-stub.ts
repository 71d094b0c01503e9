import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import {
  generate,
  parser,
  type IConnackPacket,
  type IConnectPacket,
  type IPublishPacket,
  type Packet,
} from 'mqtt-packet';

export type StubAnswer =
  | 'drop'
  | 'close'
  | { readonly reasonCode: number }
  /** Ends the connection with that reason code instead of an answer. */
  | { readonly disconnect: number };

interface Client {
  readonly socket: Socket;
  connect: IConnectPacket | undefined;
  readonly filters: Set<string>;
}

/** A raw MQTT broker for answers that real ones do not give on demand: any reason code, none at all, small limits. */
export class MqttStub {
  readonly #server: Server;
  readonly #clients = new Set<Client>();
  #nextId = 1;
  port = 0;
  /** Properties of the CONNACK. */
  limits: NonNullable<IConnackPacket['properties']> = {};
  /** Reason code of the CONNACK. */
  connackCode = 0;
  /** How a publish is answered, and whether it is passed on: it is unless the answer is a failure. */
  answer: (packet: IPublishPacket) => StubAnswer = () => ({ reasonCode: 0 });
  /** Whether an accepted publish reaches the subscribers. */
  delivers: (packet: IPublishPacket) => boolean = () => true;
  readonly received: IPublishPacket[] = [];
  readonly connects: IConnectPacket[] = [];
  /** Most publishes that were waiting for an answer at a time. */
  mostUnanswered = 0;
  /** Milliseconds before an answer. */
  delayMs = 0;
  #unanswered = 0;

  constructor() {
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async start(port = 0): Promise<void> {
    await new Promise<void>((resolve) => void this.#server.listen(port, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.dropAll();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  dropAll(): void {
    for (const { socket } of this.#clients) socket.destroy();
  }

  batches(): readonly IPublishPacket[] {
    return this.received.filter(({ topic }) => topic.includes('/batch'));
  }

  #accept(socket: Socket): void {
    const client: Client = { socket, connect: undefined, filters: new Set() };
    this.#clients.add(client);
    const stream = parser({ protocolVersion: 5 });
    stream.on('packet', (packet) => this.#handle(client, packet));
    stream.on('error', () => socket.destroy());
    socket.on('data', (data) => stream.parse(data));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#clients.delete(client));
  }

  #send(client: Client, packet: Packet): void {
    if (!client.socket.destroyed)
      client.socket.write(generate(packet, { protocolVersion: client.connect?.protocolVersion ?? 5 }));
  }

  #handle(client: Client, packet: Packet): void {
    if (packet.cmd === 'connect') {
      client.connect = packet;
      this.connects.push(packet);
      const isV5 = packet.protocolVersion === 5;
      this.#send(client, {
        cmd: 'connack',
        sessionPresent: false,
        ...(isV5 ? { reasonCode: this.connackCode, properties: this.limits } : { returnCode: this.connackCode }),
      });
      if (this.connackCode !== 0) client.socket.end();
    } else if (packet.cmd === 'publish') this.#published(client, packet);
    else if (packet.cmd === 'subscribe') {
      for (const { topic } of packet.subscriptions) client.filters.add(topic);
      this.#send(client, { cmd: 'suback', messageId: packet.messageId!, granted: packet.subscriptions.map(() => 1) });
    } else if (packet.cmd === 'unsubscribe')
      this.#send(client, {
        cmd: 'unsuback',
        messageId: packet.messageId!,
        granted: packet.unsubscriptions.map(() => 0),
      });
    else if (packet.cmd === 'pingreq') this.#send(client, { cmd: 'pingresp' });
  }

  #published(client: Client, packet: IPublishPacket): void {
    this.received.push(packet);
    this.#unanswered += 1;
    this.mostUnanswered = Math.max(this.mostUnanswered, this.#unanswered);
    const answer = this.answer(packet);
    if (answer === 'close' || (typeof answer === 'object' && 'disconnect' in answer)) {
      if (answer === 'close') client.socket.destroy();
      else client.socket.end(Buffer.from([0xe0, 1, answer.disconnect]));
      this.#unanswered = 0;
      return;
    }
    const reply = (): void => {
      this.#unanswered -= 1;
      if (answer === 'drop') return;
      // Built by hand: the generator refuses codes that the standard does not allow here, and brokers send them.
      const id = packet.messageId!;
      if (client.connect?.protocolVersion === 5)
        client.socket.write(Buffer.from([0x40, 3, id >> 8, id & 0xff, answer.reasonCode]));
      else client.socket.write(Buffer.from([0x40, 2, id >> 8, id & 0xff]));
      if (answer.reasonCode < 0x80 && this.delivers(packet)) this.passOn(packet);
    };
    if (this.delayMs > 0) setTimeout(reply, this.delayMs);
    else reply();
  }

  /** Gives a publish to the subscribers. */
  passOn(packet: IPublishPacket): void {
    for (const client of this.#clients) {
      if (![...client.filters].some((filter) => matches(filter, packet.topic))) continue;
      const { topicAlias: _, ...properties } = packet.properties ?? {};
      this.#send(client, { ...packet, properties, dup: false, messageId: (this.#nextId++ % 65_535) + 1 });
    }
  }
}

function matches(filter: string, topic: string): boolean {
  const want = filter.split('/');
  const have = topic.split('/');
  for (const [index, level] of want.entries()) {
    if (level === '#') return true;
    if (level !== '+' && level !== have[index]) return false;
  }
  return want.length === have.length;
}
