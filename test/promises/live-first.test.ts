import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until, type RunningGateway } from '../e2e/running-gateway.ts';
import { foreign, type Json } from '../flow/flow-builder.ts';
import { embeddedBroker, flowParts, folder, numbersIn, receiverAt, runningGateway } from './parts.ts';

async function inject(own: RunningGateway, node: string, numbers: readonly number[]): Promise<void> {
  const samples = numbers.map((value) => ({ place: 'mairie', quantity: 'number', value }));
  expect((await own.request('POST', '/v1/samples', { node, samples })).status).toBe(202);
}

const numbers = (from: number, count: number): number[] => Array.from({ length: count }, (_, index) => from + index);

/** Takes connections and never says a word. */
async function silentServer(): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => socket.destroy()));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('live first', () => {
  it('a broker that is dead, or takes connections and is silent, delays no other', async () => {
    const broker = await embeddedBroker();
    const received = await receiverAt(broker.port);
    const own = await runningGateway(await folder());
    const flow = [
      flowParts.gateway(),
      flowParts.broker(broker.port),
      flowParts.broker(9, { id: 'dead' }),
      flowParts.broker(await silentServer(), { id: 'silent' }),
      foreign('f', [['send', 'send-dead', 'send-silent', 'noise']]),
      { id: 'noise', type: 'cigale-noise', wires: [['send-dead', 'send-silent']] },
      flowParts.send(),
      flowParts.send({ id: 'send-dead', broker: 'dead', stream: 'dead' }),
      flowParts.send({ id: 'send-silent', broker: 'silent', stream: 'silent' }),
    ];
    expect((await own.request('PUT', '/v1/flow', { flow })).status).toBe(200);
    for (let round = 0; round < 5; round += 1) {
      for (const node of ['send-dead', 'send-silent', 'send']) await inject(own, node, numbers(round * 100, 100));
      await until('the round arrives', () => numbersIn(received.records).length === (round + 1) * 100);
    }
    expect(numbersIn(received.records)).toEqual(numbers(0, 500));
  });

  it('after an outage what comes now arrives before the backlog is through, and all of the backlog follows', async () => {
    const broker = await embeddedBroker();
    const tcpPort = broker.port;
    await broker.stop();
    const own = await runningGateway(await folder());
    const flow: Json[] = [
      flowParts.gateway({ commitInterval: '50ms' }),
      flowParts.broker(tcpPort),
      foreign('f', [['send']]),
      flowParts.send({ backlogRate: 400, maxRecords: 100 }),
    ];
    expect((await own.request('PUT', '/v1/flow', { flow })).status).toBe(200);
    await inject(own, 'send', numbers(0, 1200));
    await embeddedBroker(tcpPort);
    const received = await receiverAt(tcpPort);
    await until('the backlog has begun', () => received.records.length > 0);
    await inject(own, 'send', [1_000_000]);
    await until('everything has arrived', () => numbersIn(received.records).length >= 1201);
    const arrived = numbersIn(received.records);
    expect(arrived.toSorted((a, b) => a - b)).toEqual([...numbers(0, 1200), 1_000_000]);
    expect(arrived.indexOf(1_000_000)).toBeLessThan(1000);
  });
});
