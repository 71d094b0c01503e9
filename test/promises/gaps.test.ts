import { describe, expect, it } from 'vitest';
import { LineServer } from '../../src/sources/simulate/line-server.ts';
import { until } from '../e2e/running-gateway.ts';
import { rule, type Json } from '../flow/flow-builder.ts';
import { GatewayChild } from './gateway-child.ts';
import {
  embeddedBroker,
  flowParts,
  folder,
  lineServer,
  numbersIn,
  receiverAt,
  runningGateway,
  started,
  type Received,
} from './parts.ts';

const flow = (ports: { line: number; mqtt: number }): Json[] => [
  flowParts.gateway(),
  flowParts.broker(ports.mqtt),
  flowParts.port(ports.line),
  flowParts.serial({ wires: [['noise'], []] }),
  flowParts.serial({ id: 'numbers', place: 'gare', wires: [['send'], []] }),
  rule('noise', { periods: ['1m'] }),
  flowParts.send(),
];

const RANGE = 'from=1980-01-01T00:00:00Z&to=2200-01-01T00:00:00Z';
const gapsIn = ({ records }: Received): Record<string, unknown>[] => records.filter(({ kind }) => kind === 'gap');
const instant = (gap: Record<string, unknown> | undefined, name: 'from' | 'to'): number =>
  Date.parse(String(gap?.[name]));

/** Sends numbered lines until the last of them has arrived. */
async function linesArrive(line: LineServer, received: Received, number: number): Promise<void> {
  await until(`line ${number} arrives`, () => {
    line.send(`${number},50.0\n`);
    return numbersIn(received.records).includes(number);
  });
}

describe('silence is data', () => {
  it('a gateway that was killed says at its next start from when to when it was off, once', async () => {
    const broker = await embeddedBroker();
    const received = await receiverAt(broker.port);
    const line = await lineServer();
    const child = new GatewayChild(await folder());
    await child.start(flow({ line: line.port, mqtt: broker.port }));
    await linesArrive(line, received, 1);
    const killedAt = Date.now();
    await child.end('SIGKILL');
    await new Promise((resolve) => void setTimeout(resolve, 2500));
    const restartedAt = Date.now();
    await child.start();
    await until('the gap arrives', () => gapsIn(received).length > 0);
    await linesArrive(line, received, 2);
    await child.end('SIGKILL');
    await child.start();
    await linesArrive(line, received, 3);
    const off = gapsIn(received).filter(({ cause }) => cause === 'gateway-off');
    const [gap] = off;
    expect(off.filter(({ from }) => from === gap?.['from'])).toHaveLength(1);
    expect(Object.keys(gap ?? {}).toSorted()).toEqual(['cause', 'from', 'id', 'kind', 'lane', 'seq', 'stream', 'to']);
    expect(instant(gap, 'from')).toBeGreaterThan(killedAt - 10_000);
    expect(instant(gap, 'from')).toBeLessThanOrEqual(killedAt);
    expect(instant(gap, 'to')).toBeGreaterThanOrEqual(restartedAt);
    expect(instant(gap, 'to')).toBeLessThanOrEqual(Date.now());
    const stored = await child.records('gaps');
    expect(stored.map(({ id }) => id)).toContain(gap?.['id']);
    expect(received.problems).toEqual([]);
  });

  it('a serial server that is unplugged is a gap of each of its places, until the next line', async () => {
    const broker = await embeddedBroker();
    const received = await receiverAt(broker.port);
    const line = new LineServer('127.0.0.1', 0);
    await started(line);
    const { port } = line;
    const own = await runningGateway(await folder());
    const deployed = await own.request('PUT', '/v1/flow', { flow: flow({ line: port, mqtt: broker.port }) });
    expect(deployed.status).toBe(200);
    await linesArrive(line, received, 1);
    const unpluggedAt = Date.now();
    await line.stop();
    await new Promise((resolve) => void setTimeout(resolve, 2500));
    const again = await started(new LineServer('127.0.0.1', port));
    const pluggedAt = Date.now();
    await linesArrive(again, received, 2);
    await until('the gaps arrive', () => gapsIn(received).length >= 2);
    const gaps = gapsIn(received).toSorted((a, b) => String(a['place']).localeCompare(String(b['place'])));
    expect(gaps.map(({ place, cause }) => [place, cause])).toEqual([
      ['gare', 'port-gone'],
      ['mairie', 'port-gone'],
    ]);
    for (const gap of gaps) {
      expect(Math.abs(instant(gap, 'from') - unpluggedAt)).toBeLessThan(2000);
      expect(instant(gap, 'to')).toBeGreaterThanOrEqual(pluggedAt);
    }
    const one = await own.request('GET', `/v1/gaps?${RANGE}&place=gare`);
    expect(one.json['records']).toMatchObject([{ kind: 'gap', place: 'gare', cause: 'port-gone' }]);
    expect((await own.request('GET', `/v1/gaps?${RANGE}&limit=1`)).json['cursor']).toBe(
      String(Math.min(...gaps.map(({ id }) => Number(id)))),
    );
    expect((await own.request('GET', '/v1/gaps?from=yesterday&to=2200-01-01T00:00:00Z')).status).toBe(400);
  });
});
