import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { GatewayEvent, GatewayPort } from '../../src/api/gateway-port.ts';
import { ApiListener } from '../../src/api/listener.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { temporaryFolder, until } from '../e2e/running-gateway.ts';

const EVENT: GatewayEvent = { event: 'flow', data: { version: 1, author: 'x'.repeat(60_000) } };
const DROPPED = 'cigale_event_readers_dropped_total';

it('a reader that does not read is dropped and counted once; one that reads misses nothing', async () => {
  const folder = await temporaryFolder();
  const metrics = new Metrics();
  const listeners = new Set<(event: GatewayEvent) => void>();
  const gateway = {
    metrics,
    status: () => Promise.resolve({ nodes: [] }),
    subscribe: (listener: (event: GatewayEvent) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } as unknown as GatewayPort;
  const path = join(folder.path, 'api.sock');
  const server = new ApiListener({ gateway, role: 'owner', clock: systemClock, log: memoryLog() }, { path });
  await server.start();
  const follow = async (): Promise<ReturnType<typeof connect>> => {
    const socket = connect(path);
    socket.on('error', () => undefined);
    socket.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'data');
    return socket;
  };
  const silent = await follow();
  silent.pause();
  const reading = await follow();
  let read = 0;
  reading.on('data', (chunk: Buffer) => {
    read += chunk.length;
  });
  let sent = 0;
  await until('the silent reader is dropped', async () => {
    for (const listener of listeners) listener(EVENT);
    sent += 1;
    await until('the other has read it', () => read >= sent * 60_000);
    return metrics.value(DROPPED) > 0;
  });
  expect(metrics.value(DROPPED)).toBe(1);
  await until('only the other is left', () => listeners.size === 1);
  silent.destroy();
  reading.destroy();
  await server.stop();
  await folder.remove();
});
