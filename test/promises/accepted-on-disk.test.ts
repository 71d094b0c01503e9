import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { SimulatedDevice } from '../../src/sources/simulate/lora-device.ts';
import { openStore } from '../../src/store/sqlite-store.ts';
import { until } from '../e2e/running-gateway.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { KILL_CODEC, KILL_DEVICE, KILL_REGISTRY } from '../fault/kill-flow.ts';
import { lora, rule, type Json } from '../flow/flow-builder.ts';
import { GatewayChild } from './gateway-child.ts';
import { embeddedBroker, flowParts, folder, forwarderTo, lineServer, numbersIn, oneTo, receiverAt } from './parts.ts';

const NOBODY = 9;

const flow = (ports: { line?: number; mqtt?: number }, commitInterval: string): Json[] => [
  flowParts.gateway({ commitInterval }),
  flowParts.broker(ports.mqtt ?? NOBODY),
  flowParts.port(ports.line ?? NOBODY),
  flowParts.concentrator(),
  flowParts.serial({ wires: [['send', 'noise'], []] }),
  lora({ wires: [['send']] }),
  rule('noise', { periods: ['1m'] }),
  flowParts.send(),
];

async function withDevice(child: GatewayChild): Promise<void> {
  await child.request('POST', '/v1/registry/import', Buffer.from(KILL_REGISTRY), 'text/csv');
  await child.request('PUT', '/v1/codecs/kill-codec', Buffer.from(KILL_CODEC), 'application/javascript');
}

async function stageFact(child: GatewayChild, stage: string, fact: string): Promise<number> {
  const stages = (await child.request('GET', '/v1/status')).json['stages'] as { stage: string; facts: Json }[];
  return Number(stages.find((one) => one.stage === stage)?.facts[fact]);
}

async function metric(child: GatewayChild, name: string): Promise<number> {
  const line = (await child.request('GET', '/v1/metrics')).body.split('\n').find((one) => one.startsWith(name));
  return Number(line?.split(' ').at(-1) ?? 0);
}

const frame = (device: SimulatedDevice, number: number, confirmed = false): Uint8Array =>
  device.uplink(5, Buffer.from([0, 0, 0, number, 1, 14, 3]), confirmed);

describe('accepted means on disk', () => {
  it('what was called accepted when the process was killed is there afterwards, under the same ids', async () => {
    const line = await lineServer();
    const child = new GatewayChild(await folder());
    await child.start(flow({ line: line.port }, '50ms'));
    await until('the line is connected', () => line.send('') > 0);
    await new Promise((resolve) => void setTimeout(resolve, 150));
    let sent = 0;
    await until('some commits are reported', () => {
      line.send(`${(sent += 1)},50.0\n`);
      return child.acceptedThrough >= 40;
    });
    await child.end('SIGKILL');
    await child.start();
    const records = await child.records('samples');
    const ids = records.map(({ id }) => Number(id));
    expect(ids.length).toBeGreaterThanOrEqual(child.acceptedThrough);
    expect(ids).toEqual(oneTo(ids.length));
    const numbers = numbersIn(records);
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
  });

  it('a gateway that is told to stop commits what it has read, and waits for no commit interval', async () => {
    const line = await lineServer();
    const child = new GatewayChild(await folder());
    await child.start(flow({ line: line.port }, '1m'));
    await withDevice(child);
    await until('the line is connected', () => line.send('') > 0);
    await new Promise((resolve) => void setTimeout(resolve, 150));
    for (const number of oneTo(20)) line.send(`${number},50.0\n`);
    const forwarder = await forwarderTo(await stageFact(child, 'concentrator', 'port'));
    forwarder.push([frame(new SimulatedDevice(KILL_DEVICE, 3), 21)]);
    await until('the datagram has come', () => forwarder.acknowledged === 1);
    await until(
      'the lines wait for their commit',
      async () => (await stageFact(child, 'store', 'pendingEntries')) >= 40,
    );
    expect(await child.end('SIGTERM'), child.log).toBe(0);
    await child.start();
    expect(numbersIn(await child.records('samples')).toSorted((a, b) => a - b)).toEqual(oneTo(21));
  });

  it('an uplink that was accepted and not yet decoded is decoded after the restart, once, and goes where the flow says', async () => {
    const broker = await embeddedBroker();
    const dataDir = await folder();
    const child = new GatewayChild(dataDir);
    await child.start(flow({ mqtt: broker.port }, '10s'));
    await withDevice(child);
    const forwarder = await forwarderTo(await stageFact(child, 'concentrator', 'port'));
    // Confirmed: it commits at once; what it decodes to waits for the interval, and is lost by the kill.
    forwarder.push([frame(new SimulatedDevice(KILL_DEVICE, 3), 7, true)]);
    await until('the uplink is accepted', async () => (await metric(child, 'cigale_uplinks_accepted_total')) === 1);
    await child.end('SIGKILL');
    await putFlowsThatDoNotCompile(dataDir, 20);
    await child.start();
    await until('it is decoded', async () => numbersIn(await child.records('samples')).length > 0);
    await child.end('SIGTERM');
    const received = await receiverAt(broker.port);
    await child.start(flow({ mqtt: broker.port }, '100ms'));
    await until('its samples arrive', () => numbersIn(received.records).length > 0);
    expect(received.records.map(({ quantity, value }) => [quantity, value])).toEqual([
      ['number', 7],
      ['airTemperature', 27],
      ['pedestrianCount', 3],
    ]);
    forwarder.push([frame(new SimulatedDevice(KILL_DEVICE, 3), 7, true)]);
    await child.end('SIGTERM');
    await child.start();
    expect(numbersIn(await child.records('samples'))).toEqual([7]);
  });
});

/** So that the first flow runs long after the store was opened: nothing may be decoded before. */
async function putFlowsThatDoNotCompile(dataDir: string, count: number): Promise<void> {
  const deps = { clock: systemClock, log: memoryLog(), metrics: new Metrics(), random: Math.random };
  const store = await openStore({ dataDir, ...deps });
  const nodes = Array.from({ length: 400 }, (_, index) => ({ id: `n${index}`, type: 'cigale-serial', wires: [] }));
  for (let version = 0; version < count; version += 1)
    await store.saveFlow(JSON.stringify([...nodes, { id: `v${version}`, type: 'tab' }]), 'test', '', 0);
  await store.stop();
}
