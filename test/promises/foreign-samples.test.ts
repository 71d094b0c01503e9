import { describe, expect, it } from 'vitest';
import { until } from '../e2e/running-gateway.ts';
import { foreign, type Json } from '../flow/flow-builder.ts';
import { embeddedBroker, flowParts, folder, receiverAt, runningGateway } from './parts.ts';

const sample = (more: Json): Json => ({ place: 'mairie', quantity: 'airTemperature', value: 20, ...more });

const flow = (tcpPort: number, commitInterval = '100ms'): Json[] => [
  flowParts.gateway({ commitInterval }),
  flowParts.broker(tcpPort),
  foreign('f', [['send']]),
  flowParts.send(),
];

describe('what a foreign node injects', () => {
  it('with an instant that no calendar has is refused, and the stream goes on', async () => {
    const broker = await embeddedBroker();
    const received = await receiverAt(broker.port);
    const own = await runningGateway(await folder());
    expect((await own.request('PUT', '/v1/flow', { flow: flow(broker.port) })).status).toBe(200);
    for (const observedAt of [9e15, 253_402_300_800_000, -1, -9e15]) {
      const answer = await own.request('POST', '/v1/samples', { node: 'send', samples: [sample({ observedAt })] });
      expect([answer.status, answer.json['code']], String(observedAt)).toEqual([400, 'API_BAD_REQUEST']);
    }
    const good = { node: 'send', samples: [sample({ value: 21 })] };
    expect((await own.request('POST', '/v1/samples', good)).status).toBe(202);
    await until('the good sample arrives', () => received.records.length > 0);
    expect(received.records.map(({ value }) => value)).toEqual([21]);
  });

  it('twice under one key is one sample, and the second answer too comes from disk', async () => {
    const own = await runningGateway(await folder());
    expect((await own.request('PUT', '/v1/flow', { flow: flow(9, '1s') })).status).toBe(200);
    const body = { node: 'send', samples: [sample({ key: 'k' }), sample({ key: 'k' })] };
    const answered: number[] = [];
    const asked = [1, 2].map(async () => {
      const { status } = await own.request('POST', '/v1/samples', body);
      answered.push(own.metrics.value('cigale_samples_accepted_total'));
      return status;
    });
    expect(await Promise.all(asked)).toEqual([202, 202]);
    expect(answered).toEqual([1, 1]);
  });
});
