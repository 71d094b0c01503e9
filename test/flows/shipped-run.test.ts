import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freeUdpPort, loadDemoRegistry } from '../../src/cli/demo-setup.ts';
import { receiveBatches } from '../../src/forward/receive.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Service } from '../../src/runtime/lifecycle.ts';
import { CounterFile } from '../../src/sources/simulate/counter-file.ts';
import { EmbeddedBroker } from '../../src/sources/simulate/embedded-broker.ts';
import { SimulatedSensors } from '../../src/sources/simulate/simulated-sensors.ts';
import { RunningGateway, temporaryFolder, until } from '../e2e/running-gateway.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { atAddresses, FLOWS, readShipped, SHIPPED } from './shipped-flow.ts';

/** Quantities that each stream must bring, by flow and then by the name of the broker's node. */
const EXPECTED: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'bruit.json': { 'serveur de la ville': ['LAeq', 'LAFmax', 'LCpeak'] },
  'chaleur.json': { 'serveur de la ville': ['airTemperature', 'relativeHumidity', 'batteryVoltage'] },
  'comptage.json': { 'serveur de la ville': ['pedestrianCount', 'bicycleCount', 'batteryVoltage'] },
  'ville-et-metropole.json': {
    'serveur de la ville': [
      'LAeq',
      'LAFmax',
      'LCpeak',
      'airTemperature',
      'relativeHumidity',
      'batteryVoltage',
      'pedestrianCount',
      'bicycleCount',
    ],
    'serveur de la métropole': ['airTemperature', 'relativeHumidity', 'batteryVoltage'],
  },
};

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: Service[];

const started = async <Part extends Service>(part: Part): Promise<Part> => {
  running.push(part);
  await part.start();
  return part;
};

beforeEach(async () => {
  folder = await temporaryFolder();
  running = [];
});

afterEach(async () => {
  for (const part of running.toReversed()) await part.stop();
  await folder.remove();
});

interface Received {
  readonly port: number;
  readonly quantities: Set<string>;
  readonly problems: unknown[];
}

/** A broker with somebody who listens to it. */
async function receiver(): Promise<Received> {
  const broker = await started(new EmbeddedBroker('127.0.0.1', 0));
  const received: Received = { port: broker.port, quantities: new Set(), problems: [] };
  running.push(
    await receiveBatches(
      {
        brokerUrl: `mqtt://127.0.0.1:${broker.port}`,
        prefix: 'cigale/v1',
        protocol: 4,
        clientId: 'test-receiver',
        onRecord: (record) => void received.quantities.add(String(record['quantity'])),
        onProblem: (problem) => void received.problems.push(problem),
      },
      { clock: systemClock, log: memoryLog() },
    ),
  );
  return received;
}

async function simulatedSensors(udpPort: number): Promise<SimulatedSensors> {
  return started(
    new SimulatedSensors({
      host: '127.0.0.1',
      serialPort: 0,
      udpPort,
      seed: 1,
      loraIntervalMs: 2000,
      counters: new CounterFile(join(folder.path, 'simulator.json')),
      clock: systemClock,
      random: Math.random,
    }),
  );
}

describe('a shipped flow in a gateway, its sensors and brokers at other addresses', () => {
  it.each(SHIPPED)('%s brings the samples of its sensors to its brokers in verified batches', async (name) => {
    const flow = readShipped(name);
    const expected = Object.entries(EXPECTED[name] ?? {});
    expect(expected.length).toBeGreaterThan(0);
    const receivers = new Map<string, Received>();
    for (const { id, type } of flow) if (type === 'cigale-broker') receivers.set(id, await receiver());
    const udp = await freeUdpPort(0);
    const sensors = await simulatedSensors(udp);
    const own = new RunningGateway(folder.path);
    await started(own.gateway);
    await loadDemoRegistry(own.gateway.port, join(FLOWS, 'demo'));
    const brokers = Object.fromEntries([...receivers].map(([id, { port }]) => [id, port]));
    const deployed = await own.request('PUT', '/v1/flow', {
      flow: atAddresses(flow, { serial: sensors.serialPort, udp, brokers }),
      author: 'test',
    });
    expect([deployed.status, deployed.json['faults'] ?? []]).toEqual([200, []]);
    sensors.run();

    for (const [broker, quantities] of expected) {
      const received = receivers.get(String(flow.find((node) => node['name'] === broker)?.id));
      await until(`all quantities at ${broker}`, () =>
        quantities.every((quantity) => received?.quantities.has(quantity)),
      );
      expect([...(received?.quantities ?? [])].toSorted(), broker).toEqual([...quantities].toSorted());
      expect(received?.problems).toEqual([]);
    }
  });
});
