import { createServer, type AddressInfo, type Server } from 'node:net';
import { Aedes } from 'aedes';
import type { Service } from '../../runtime/lifecycle.ts';

/** An MQTT 3.1.1 broker in this process, for the demo: nothing to install, nothing kept. */
export class EmbeddedBroker implements Service {
  readonly #host: string;
  readonly #port: number;
  #aedes: Aedes | undefined;
  #server: Server | undefined;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  get port(): number {
    const address = this.#server?.address() as AddressInfo | null | undefined;
    return address?.port ?? 0;
  }

  async start(): Promise<void> {
    const aedes = await Aedes.createBroker();
    const server = createServer(aedes.handle);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, this.#host, resolve);
    });
    this.#aedes = aedes;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const aedes = this.#aedes;
    const server = this.#server;
    this.#aedes = undefined;
    this.#server = undefined;
    if (aedes === undefined || server === undefined) return;
    await new Promise<void>((resolve) => {
      aedes.close(() => resolve());
    });
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  }
}
