import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { GatewayError, messageOf, systemCode } from '../runtime/errors.ts';
import { background, type Service } from '../runtime/lifecycle.ts';
import type { ApiOptions } from './server.ts';

const MAX_CONNECTIONS = 128;

/**
 * One listening API: a Unix socket path, or HOST and port. The application behind it is loaded with the first connection:
 * a gateway that nobody asks anything does not pay for it (some 30 MB).
 */
export class ApiListener implements Service {
  readonly #options: ApiOptions;
  readonly #listen: { path: string } | { host: string; port: number };
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #app: Promise<FastifyInstance> | undefined;

  constructor(options: ApiOptions, listen: { path: string } | { host: string; port: number }) {
    this.#options = options;
    this.#listen = listen;
  }

  /** Throws API_LISTEN_FAILED. A socket file that a killed gateway left behind is replaced: the store's lock says that nobody serves it. */
  async start(): Promise<void> {
    const server = createServer({ pauseOnConnect: true }, (socket) => this.#hand(socket));
    server.maxConnections = MAX_CONNECTIONS;
    try {
      if ('path' in this.#listen) await rm(this.#listen.path, { force: true });
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(this.#listen, resolve);
      });
      if ('path' in this.#listen) await chmod(this.#listen.path, 0o660);
    } catch (error) {
      throw new GatewayError('API_LISTEN_FAILED', `cannot listen: ${messageOf(error)}`, {
        cause: error,
        context: { code: systemCode(error) ?? '', ...this.#listen },
      });
    }
    this.#server = server;
  }

  /** The bound TCP port; 0 for a socket. */
  port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => {
      if (server === undefined) resolve();
      else server.close(() => resolve());
    });
    const app = await this.#app;
    this.#app = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await app?.close();
    await closed;
  }

  /** The HTTP server of the application takes the connection as if it had accepted it. */
  #hand(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    const handed = this.#application().then((app) => {
      app.server.emit('connection', socket);
      socket.resume();
    });
    background(handed, this.#options.log, 'a connection to the API could not be served');
  }

  #application(): Promise<FastifyInstance> {
    this.#app ??= import('./server.ts').then(async ({ createApi }) => {
      const app = createApi(this.#options);
      await app.ready();
      // Node watches over slow and idle connections (requestTimeout) from this event on; this server never listens itself.
      app.server.emit('listening');
      return app;
    });
    return this.#app;
  }
}
