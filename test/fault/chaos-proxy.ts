import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface ChaosOptions {
  readonly targetHost: string;
  readonly targetPort: number;
  /** 0 ≤ x < 1, seeded. */
  readonly random: () => number;
  /** Longest ordinary delay of a chunk, either way, ms. */
  readonly maxDelayMs: number;
  /** Chance that a chunk on its way to the broker is held back for up to `maxStallMs`: a backhaul that falters. */
  readonly stallChance: number;
  readonly maxStallMs: number;
  /** Chance that a chunk is lost with its connection, on its way there (a publish) or back (a PUBACK). */
  readonly cutChance: number;
}

/** A TCP proxy between gateway and broker that delays, stalls and loses what passes, repeatable by its seed. */
export class ChaosProxy {
  readonly #options: ChaosOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #isSevered = false;
  #isSilent = false;
  cuts = 0;

  constructor(options: ChaosOptions) {
    this.#options = options;
  }

  get port(): number {
    const address = this.#server?.address() as AddressInfo | null | undefined;
    return address?.port ?? 0;
  }

  async start(): Promise<void> {
    const server = createServer((client) => this.#join(client));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    this.#server = server;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server?.close(() => resolve());
    });
  }

  /** The line is dead: nothing more gets through, nobody connects, until it is mended. */
  sever(): void {
    this.#isSevered = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** The line is half-open: connections stand, new ones are taken, and nothing gets through either way. */
  silence(): void {
    this.#isSilent = true;
  }

  /** What was swallowed meanwhile is gone: connections that missed something do not go on. */
  mend(): void {
    if (this.#isSilent) for (const socket of this.#sockets) socket.destroy();
    this.#isSilent = false;
    this.#isSevered = false;
  }

  #join(client: Socket): void {
    if (this.#isSevered) {
      client.destroy();
      return;
    }
    const { targetHost, targetPort, random, maxDelayMs } = this.#options;
    const broker = connect(targetPort, targetHost);
    for (const socket of [client, broker]) {
      this.#sockets.add(socket);
      const end = (): void => {
        client.destroy();
        broker.destroy();
        this.#sockets.delete(socket);
      };
      socket.on('error', end);
      socket.on('close', end);
    }
    const { stallChance, maxStallMs } = this.#options;
    this.#relay(client, broker, () => (random() < stallChance ? random() * maxStallMs : random() * maxDelayMs));
    this.#relay(broker, client, () => random() * maxDelayMs);
  }

  /** Passes chunks on in order, each after its delay, until one is lost together with the connection. */
  #relay(from: Socket, to: Socket, delayMs: () => number): void {
    const { random, cutChance } = this.#options;
    let queue = Promise.resolve();
    from.on('data', (chunk) => {
      const delay = delayMs();
      const isLost = random() < cutChance;
      queue = queue.then(async () => {
        await new Promise((resolve) => void setTimeout(resolve, delay));
        if (this.#isSilent) return;
        if (isLost) {
          this.cuts += 1;
          to.destroy();
        } else if (!to.destroyed) to.write(chunk);
      });
    });
  }
}
