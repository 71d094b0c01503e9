import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What the line does to what passes. */
export type LinkFault =
  /** Nothing passes, in either direction, and nobody is told. */
  | 'half-open'
  /** The broker has the publish; its acknowledgement is lost with the connection. */
  | 'PUBACK lost'
  /** The line breaks in the middle of a publish. */
  | 'cut in mid-publish'
  /** 64 kbit/s and half a second. */
  | 'slow link'
  /** The line breaks every few seconds. */
  | 'flapping'
  /** Nobody can connect. */
  | 'no connection';

export interface LinkOptions {
  readonly targetPort: number;
  /** How many times as fast as the clock on the wall the trial's time runs. */
  readonly speed: number;
}

const SLOW_BYTES_PER_SECOND = 8000;
const SLOW_DELAY_MS = 500;
const FLAP_MS = 6000;
/** Smaller chunks are pings and acknowledgements, not publishes of batches. */
const PUBLISH_BYTES = 300;

/** A TCP line between gateway and broker that is well, or has one fault at a time. */
export class LinkProxy {
  readonly #options: LinkOptions;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #server: Server = createServer((client) => this.#join(client));
  #fault: LinkFault | null = null;
  #flapping: NodeJS.Timeout | undefined;
  /** How often the fault struck. */
  strikes = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
  }

  async stop(): Promise<void> {
    this.set(null);
    this.#cutAll();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  set(fault: LinkFault | null): void {
    clearInterval(this.#flapping);
    if (fault === 'no connection') this.#cutAll();
    if (fault === 'flapping') this.#flapping = setInterval(() => this.#flap(), FLAP_MS / this.#options.speed);
    this.#fault = fault;
  }

  #flap(): void {
    this.strikes += this.#pairs.size;
    this.#cutAll();
  }

  #cutAll(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  #join(client: Socket): void {
    if (this.#fault === 'no connection') {
      this.strikes += 1;
      client.destroy();
      return;
    }
    const broker = connect(this.#options.targetPort, '127.0.0.1');
    const pair = [client, broker] as const;
    this.#pairs.add(pair);
    const end = (): void => {
      for (const socket of pair) socket.destroy();
      this.#pairs.delete(pair);
    };
    for (const socket of pair) {
      socket.on('error', end);
      socket.on('close', end);
    }
    this.#relay(client, broker, (chunk) => this.#toBroker(chunk, broker, end));
    this.#relay(broker, client, (chunk) => this.#toClient(chunk, client, end));
  }

  /** Chunks one after the other, each after what the line takes for it. */
  #relay(from: Socket, to: Socket, pass: (chunk: Buffer) => void): void {
    let queue = Promise.resolve();
    from.on('data', (chunk) => {
      queue = queue.then(async () => {
        const delayMs = this.#delayMs(chunk.length);
        if (delayMs > 0) await new Promise((resolve) => void setTimeout(resolve, delayMs));
        if (!to.destroyed) pass(chunk);
      });
    });
  }

  #delayMs(bytes: number): number {
    if (this.#fault !== 'slow link') return 0;
    this.strikes += 1;
    return (SLOW_DELAY_MS + (bytes / SLOW_BYTES_PER_SECOND) * 1000) / this.#options.speed;
  }

  #toBroker(chunk: Buffer, broker: Socket, end: () => void): void {
    if (this.#fault === 'half-open') this.strikes += 1;
    else if (this.#fault === 'cut in mid-publish' && chunk.length > PUBLISH_BYTES) {
      this.strikes += 1;
      broker.write(chunk.subarray(0, Math.floor(chunk.length / 2)), end);
    } else broker.write(chunk);
  }

  #toClient(chunk: Buffer, client: Socket, end: () => void): void {
    if (this.#fault === 'half-open') return;
    // A PUBACK: type 4 in the high bits of the first byte.
    if (this.#fault === 'PUBACK lost' && (chunk[0] ?? 0) >> 4 === 4) {
      this.strikes += 1;
      end();
    } else client.write(chunk);
  }
}
