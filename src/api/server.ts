import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { messageOf } from '../runtime/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { givenToken, isToken, mayUse, type Role } from './access.ts';
import { addDataRoutes } from './data-routes.ts';
import { addEventRoute } from './events.ts';
import { addFlowRoutes } from './flow-routes.ts';
import type { GatewayPort } from './gateway-port.ts';
import { addPageRoutes } from './page-routes.ts';
import { problem, problemOf } from './problem.ts';
import { addRegistryRoutes } from './registry-routes.ts';

/** A registry file of 4,000 rows. Checking a file takes many times its size in memory; routes that need more say so. */
const MAX_BODY_BYTES = 1024 * 1024;
/** A request that has not come whole by then is given up. */
const REQUEST_TIMEOUT_MS = 60_000;

export interface ApiOptions {
  readonly gateway: GatewayPort;
  readonly role: Role;
  readonly clock: Clock;
  readonly log: Log;
  /** Needed by the role `remote`. */
  readonly token?: string;
}

/** The local API as a Fastify application, not listening yet: the CLI uses it without a socket when no gateway runs. */
export function createApi(options: ApiOptions): FastifyInstance {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    logger: false,
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, problemOf(error)),
    clientErrorHandler: refuseUnreadable,
  });
  app.setErrorHandler((error, request, reply) => {
    const body = problemOf(error);
    if (body.code === 'INTERNAL')
      options.log.error({ error: messageOf(error), route: request.url }, 'an API request failed');
    return sendProblem(reply, body);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, problem('API_NOT_FOUND', `there is no ${request.method} ${request.url}`)),
  );
  app.addContentTypeParser(['text/csv', 'application/javascript'], { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  app.addHook('onRequest', (request, reply) => guard(options, request, reply));
  addFlowRoutes(app, options.gateway);
  addDataRoutes(app, options.gateway);
  addRegistryRoutes(app, options.gateway, options.role);
  addEventRoute(app, options.gateway, options.clock);
  if (options.role === 'remote') addPageRoutes(app, options.token ?? '');
  return app;
}

const sendProblem = (reply: FastifyReply, body: ReturnType<typeof problem>): FastifyReply =>
  reply.code(body.status).type('application/problem+json').send(body);

/** Answers what is not HTTP at all, where the connection still takes an answer. */
function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = problem('API_BAD_REQUEST', `the request cannot be read (${error.code ?? 'unknown'})`);
  const text = JSON.stringify(body);
  const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n`;
  socket.end(head + text);
}

/** Public: the page's own files and the login; they hold nothing of the gateway. */
const isPublic = (route: string): boolean => !route.startsWith('/v1/') || route === '/v1/session';

async function guard(options: ApiOptions, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const route = request.routeOptions.url ?? request.url;
  if (options.role === 'remote' && !isPublic(route)) {
    if (options.token === undefined || !isToken(givenToken(request.headers), options.token)) {
      await sendProblem(
        reply.header('www-authenticate', 'Bearer'),
        problem('API_UNAUTHORIZED', 'this request needs the token'),
      );
      return;
    }
  }
  if (request.is404 || mayUse(options.role, request.method, route)) return;
  await sendProblem(reply, problem('API_FORBIDDEN', `${options.role} may not use ${request.method} ${route}`));
}
