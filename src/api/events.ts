import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { every, type Clock } from '../runtime/clock.ts';
import { GatewayError } from '../runtime/errors.ts';
import type { GatewayEvent, GatewayPort } from './gateway-port.ts';

const HEARTBEAT_MS = 15_000;
/** A reader slower than this is disconnected: it reconnects and asks for the status again. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
const MAX_READERS = 32;

/** Writes events to one reader until it hangs up or is too slow. */
function feed(raw: ServerResponse, gateway: GatewayPort, clock: Clock): (event: GatewayEvent) => void {
  const write = (text: string): void => {
    if (raw.destroyed) return;
    if (raw.writableLength > MAX_BUFFERED_BYTES) {
      gateway.metrics.count(
        'cigale_event_readers_dropped_total',
        'Event readers disconnected because they were too slow',
      );
      raw.destroy();
      return;
    }
    raw.write(text);
  };
  const send = (event: GatewayEvent): void => write(`event: ${event.event}\ndata: ${JSON.stringify(event.data)}\n\n`);
  const unsubscribe = gateway.subscribe(send);
  const heartbeat = every(clock, HEARTBEAT_MS, () => write(': alive\n\n'));
  raw.on('close', () => {
    heartbeat.cancel();
    unsubscribe();
  });
  return send;
}

/** `GET /v1/events`: server-sent events. Statuses are sent whole at the start, then what changes. */
export function addEventRoute(app: FastifyInstance, gateway: GatewayPort, clock: Clock): void {
  let readers = 0;
  app.get('/v1/events', { exposeHeadRoute: false }, async (_request, reply) => {
    if (readers >= MAX_READERS) throw new GatewayError('API_BUSY', `${MAX_READERS} readers follow the events already`);
    readers += 1;
    const { raw } = reply;
    raw.once('close', () => {
      readers -= 1;
    });
    const { nodes } = await gateway.status();
    if (raw.destroyed) return reply;
    reply.hijack();
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    // Sends the headers now: a reader must not wait for the first event to know that it is connected.
    raw.write(': connected\n\n');
    const send = feed(raw, gateway, clock);
    for (const status of nodes) send({ event: 'status', data: status });
    return reply;
  });
}
