import { describe, expect, it } from 'vitest';
import { SimulatedDevice } from '../../src/sources/simulate/lora-device.ts';
import { KILL_CODEC, KILL_DEVICE, KILL_REGISTRY } from '../fault/kill-flow.ts';
import { lora } from '../flow/flow-builder.ts';
import { flowParts, folder, forwarderTo, runningGateway } from '../promises/parts.ts';
import { until } from './running-gateway.ts';

const flow = [
  flowParts.gateway({ commitInterval: '1m' }),
  flowParts.broker(9),
  flowParts.concentrator(),
  lora({ wires: [['send']] }),
  flowParts.send(),
];

describe('decoding of accepted uplinks', () => {
  it('does not wait for the commit of what the uplink before decoded to', async () => {
    const own = await runningGateway(await folder());
    await own.request('POST', '/v1/registry/import', Buffer.from(KILL_REGISTRY), { type: 'text/csv' });
    await own.request('PUT', '/v1/codecs/kill-codec', Buffer.from(KILL_CODEC), { type: 'application/javascript' });
    expect((await own.request('PUT', '/v1/flow', { flow })).status).toBe(200);
    const forwarder = await forwarderTo(own.gateway.runner?.lora.portOf('concentrator') ?? 0);
    const device = new SimulatedDevice(KILL_DEVICE, 1);
    const frames = Array.from({ length: 30 }, (_, index) =>
      // The last is confirmed: all are accepted at once, what they decode to waits for the interval.
      device.uplink(5, Buffer.from([0, 0, 0, index + 1, 1, 14, 3]), index === 29),
    );
    forwarder.push(frames);
    await until('all are accepted', () => own.metrics.value('cigale_uplinks_accepted_total') === 30);
    await until('all are decoded', async () => (await own.gateway.port.store.status()).pendingEntries >= 90);
    forwarder.push([device.uplink(5, Buffer.from([0, 0, 0, 31, 1, 14, 3]), true)]);
    await until('all are on disk', () => own.metrics.value('cigale_samples_accepted_total') === 90);
    const page = (
      await own.request('GET', '/v1/samples?quantity=number&from=2020-01-01T00:00:00Z&to=2200-01-01T00:00:00Z')
    ).json['records'] as { value: number }[];
    expect(page.map(({ value }) => value)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  });

  it('happens when the codec comes after the frame, once', async () => {
    const own = await runningGateway(await folder());
    await own.request('POST', '/v1/registry/import', Buffer.from(KILL_REGISTRY), { type: 'text/csv' });
    const quick = [flowParts.gateway({ commitInterval: '100ms' }), ...flow.slice(1)];
    expect((await own.request('PUT', '/v1/flow', { flow: quick })).status).toBe(200);
    const forwarder = await forwarderTo(own.gateway.runner?.lora.portOf('concentrator') ?? 0);
    forwarder.push([new SimulatedDevice(KILL_DEVICE, 1).uplink(5, Buffer.from([0, 0, 0, 9, 1, 14, 3]), true)]);
    await until('it is accepted and waits', () => own.metrics.total('cigale_uplinks_undecoded_total') === 1);
    const script = Buffer.from(KILL_CODEC);
    for (const name of ['other-codec', 'kill-codec', 'other-codec']) {
      await own.request('PUT', `/v1/codecs/${name}`, script, { type: 'application/javascript' });
    }
    await own.request('POST', '/v1/samples', { samples: [{ place: 'a', quantity: 'LAeq', value: 50 }] });
    await until('it is decoded', () => own.metrics.value('cigale_samples_accepted_total') === 4);
    const numbers = (
      await own.request('GET', '/v1/samples?quantity=number&from=2020-01-01T00:00:00Z&to=2200-01-01T00:00:00Z')
    ).json['records'] as { value: number }[];
    expect(numbers.map(({ value }) => value)).toEqual([9]);
  });
});
