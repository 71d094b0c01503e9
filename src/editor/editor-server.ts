import { createServer, type Server } from 'node:http';
import { GatewayError, systemCode } from '../runtime/errors.ts';
import { isOwnHost } from './editor-options.ts';
import type { Handler } from './node-red-api.ts';

/** The HTTP server of the editor's page: it answers only to names of this machine. */
export function createEditorServer(): Server {
  const server = createServer();
  server.on('upgrade', (request, socket) => {
    if (!isOwnHost(request.headers.host)) socket.destroy();
  });
  return server;
}

export function serve(server: Server, handler: Handler): void {
  server.on('request', (request, response) => {
    if (isOwnHost(request.headers.host)) {
      handler(request, response, () => response.writeHead(404).end());
      return;
    }
    response.writeHead(403, { 'content-type': 'text/plain' }).end('This address is not one of this machine.');
  });
}

/** Resolves with the page's address; port 0 takes a free one. */
export function listen(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const context = { host, port, reason: systemCode(cause) ?? 'unknown' };
      reject(new GatewayError('EDITOR_FAILED', `the editor cannot listen on ${host}:${port}`, { cause, context }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      const actual = typeof address === 'object' && address !== null ? address.port : port;
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${actual}/`);
    });
  });
}
