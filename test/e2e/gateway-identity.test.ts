import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Service } from '../../src/runtime/lifecycle.ts';
import { EmbeddedBroker } from '../../src/sources/simulate/embedded-broker.ts';
import { LineServer } from '../../src/sources/simulate/line-server.ts';
import { killFlow } from '../fault/kill-flow.ts';
import { RunningGateway, temporaryFolder, until } from './running-gateway.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const running: Service[] = [];

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  for (const part of running.splice(0).toReversed()) await part.stop();
  await folder.remove();
});

async function started<Part extends Service>(part: Part): Promise<Part> {
  running.push(part);
  await part.start();
  return part;
}

const flowNamed = (ports: { line: number; mqtt: number }, gateway: string): Record<string, unknown>[] =>
  (killFlow({ udp: 0, ...ports }) as Record<string, unknown>[]).map((node) => {
    if (node['type'] === 'cigale-broker') return { ...node, protocol: 4, acceptSilentLoss: true };
    return node['type'] === 'cigale-gateway' ? { ...node, gateway } : node;
  });

describe('the id of a gateway', () => {
  it('can be chosen freely until a batch is numbered under it, and then stays', async () => {
    const broker = await started(new EmbeddedBroker('127.0.0.1', 0));
    const line = await started(new LineServer('127.0.0.1', 0));
    const ports = { line: line.port, mqtt: broker.port };
    const first = new RunningGateway(folder.path, { env: { NAME: 'gw-two' } });
    await first.gateway.start();
    running.push(first.gateway);
    expect((await first.request('PUT', '/v1/flow', { flow: flowNamed(ports, 'gw-one') })).status).toBe(200);
    expect((await first.request('PUT', '/v1/flow', { flow: flowNamed(ports, '${NAME}') })).status).toBe(200);
    await until('a batch is numbered', async () => {
      line.send('1,50.0\r\n');
      const streams = (await first.request('GET', '/v1/streams')).json as unknown as { lastSeq: number }[];
      return streams.some(({ lastSeq }) => lastSeq > 0);
    });

    const refused = await first.request('PUT', '/v1/flow', { flow: flowNamed(ports, 'gw-three') });
    expect(refused.status).toBe(422);
    expect(refused.json['faults']).toMatchObject([{ code: 'GATEWAY_RENAMED', node: 'a0', field: 'gateway' }]);
    await first.gateway.stop();

    const second = new RunningGateway(folder.path, { env: { NAME: 'gw-four' } });
    await started(second.gateway);
    const status = (await second.request('GET', '/v1/status')).json;
    expect(status['gateway']).toBe('gw-two');
    expect(status['flow']).toMatchObject({ faults: [{ code: 'GATEWAY_RENAMED' }] });
  });
});
