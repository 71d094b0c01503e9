import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../runtime/clock.ts';
import { GatewayError, messageOf } from '../../runtime/errors.ts';
import { BoundedWriter } from './bounded-writer.ts';
import type { Link, LinkEvents, Transport } from './transport.ts';

const READ_BUFFER_BYTES = 16_384;
const CONNECT_TIMEOUT_MS = 10_000;
/** Idle time before the first keepalive probe; Node then probes every second, ten times: a dead peer shows after 20 s. */
const KEEPALIVE_AFTER_MS = 10_000;

/** A serial server (`tcp://host:port`), raw bytes both ways. */
export const tcpTransport =
  (path: string, clock: Clock, readIntervalMs: number): Transport =>
  async (events, signal) => {
    const { host, port } = parseAddress(path);
    let isPaced = false;
    const onRead = (socket: Socket, bytes: Buffer): boolean => {
      events.onBytes(bytes);
      if (readIntervalMs <= 0) return true;
      if (!isPaced) clock.after(readIntervalMs, () => ((isPaced = false), socket.resume()));
      isPaced = true;
      return false;
    };
    const socket = connectPaced(host, port, signal, onRead);
    const link = watch(socket, events);
    const timeout = clock.after(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('no answer to the connection')));
    try {
      await once(socket, 'connect', { signal });
    } catch (error) {
      await link.close();
      throw new GatewayError('SERIAL_OPEN_FAILED', messageOf(error), { context: { path }, cause: error });
    } finally {
      timeout.cancel();
    }
    return link;
  };

/** Bytes land in one buffer of ours; a handler that returns false stops reading, at the socket, until `resume`. */
function connectPaced(
  host: string,
  port: number,
  signal: AbortSignal,
  onRead: (socket: Socket, bytes: Buffer) => boolean,
): Socket {
  const buffer = Buffer.allocUnsafe(READ_BUFFER_BYTES);
  const socket: Socket = connect({
    host,
    port,
    signal,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEPALIVE_AFTER_MS,
    onread: { buffer, callback: (count) => onRead(socket, Buffer.from(buffer.subarray(0, count))) },
  });
  return socket;
}

function watch(socket: Socket, events: LinkEvents): Link {
  const writer = new BoundedWriter(socket);
  let isConnected = false;
  let isOver = false;
  let failure: Error | null = null;
  socket.once('connect', () => (isConnected = true));
  socket.on('error', (error) => (failure = error));
  socket.on('close', () => {
    writer.close();
    if (isOver || !isConnected) return;
    isOver = true;
    const message = failure === null ? 'the serial server closed the connection' : messageOf(failure);
    events.onClosed(new GatewayError('SERIAL_DISCONNECTED', message, { cause: failure }));
  });
  const close = async (): Promise<void> => {
    isOver = true;
    if (socket.closed) return;
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.destroy();
    await closed;
  };
  return { write: (bytes) => writer.write(bytes), close };
}

function parseAddress(path: string): { host: string; port: number } {
  const match = /^tcp:\/\/(?:\[([\da-fA-F:.]+)\]|([^:/[\]]+)):(\d{1,5})\/?$/.exec(path);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
  throw new GatewayError('SERIAL_OPEN_FAILED', `not an address: ${path}`, { context: { path } });
}
