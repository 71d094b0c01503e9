import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Service } from '../../runtime/lifecycle.ts';

/** A serial server (RS-232 over TCP): every client gets every line that the simulated instrument sends. */
export class LineServer implements Service {
  readonly #host: string;
  readonly #port: number;
  readonly #clients = new Set<Socket>();
  #server: Server | undefined;

  /** Port 0 takes a free one. */
  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  get port(): number {
    const address = this.#server?.address() as AddressInfo | null | undefined;
    return address?.port ?? 0;
  }

  async start(): Promise<void> {
    const server = createServer((socket) => {
      this.#clients.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#clients.delete(socket));
      socket.resume();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, this.#host, resolve);
    });
    this.#server = server;
  }

  /** Writes to all clients; the number of them. */
  send(text: string): number {
    for (const socket of this.#clients) socket.write(text);
    return this.#clients.size;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    for (const socket of this.#clients) socket.destroy();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  }
}
