import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { receiveBatches } from '../../src/forward/receive.ts';
import { Gateway } from '../../src/gateway.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { hasCode } from '../../src/runtime/errors.ts';
import type { Service } from '../../src/runtime/lifecycle.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { EmbeddedBroker } from '../../src/sources/simulate/embedded-broker.ts';
import { LineServer } from '../../src/sources/simulate/line-server.ts';
import { SimulatedDevice } from '../../src/sources/simulate/lora-device.ts';
import { SimulatedForwarder } from '../../src/sources/simulate/packet-forwarder.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { KILL_CODEC, KILL_DEVICE, KILL_REGISTRY, killFlow } from '../fault/kill-flow.ts';
import { RunningGateway, temporaryFolder, until } from './running-gateway.ts';

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

type Node = Record<string, unknown>;
const flowFor = (
  ports: { line: number; udp?: number; mqtt: number },
  change: (nodes: Node[]) => Node[] = (nodes) => nodes,
): Node[] => {
  const nodes = (killFlow({ udp: 0, ...ports }) as Node[]).map((node) =>
    node['type'] === 'cigale-broker' ? { ...node, protocol: 4, acceptSilentLoss: true } : node,
  );
  return change(nodes);
};

async function collectRecords(port: number): Promise<Record<string, unknown>[]> {
  const records: Record<string, unknown>[] = [];
  const receiver = await receiveBatches(
    {
      brokerUrl: `mqtt://127.0.0.1:${port}`,
      prefix: 'kill/v1',
      protocol: 4,
      clientId: 'test-receiver',
      onRecord: (record, batch) => void records.push({ ...record, seq: batch.seq }),
      onProblem: (problem) => void records.push({ ...problem, problem: problem.kind }),
    },
    { clock: systemClock, log: memoryLog() },
  );
  running.push(receiver);
  return records;
}

describe('the main job, end to end', () => {
  it('takes serial lines and LoRaWAN frames in and gives numbered batches with the right values out', async () => {
    const broker = await started(new EmbeddedBroker('127.0.0.1', 0));
    const line = await started(new LineServer('127.0.0.1', 0));
    const records = await collectRecords(broker.port);
    const own = new RunningGateway(folder.path);
    await started(own.gateway);
    expect(
      (await own.request('POST', '/v1/registry/import', Buffer.from(KILL_REGISTRY), { type: 'text/csv' })).json[
        'applied'
      ],
    ).toBe(true);
    expect(
      (await own.request('PUT', '/v1/codecs/kill-codec', Buffer.from(KILL_CODEC), { type: 'application/javascript' }))
        .status,
    ).toBe(204);
    expect(
      (await own.request('PUT', '/v1/flow', { flow: flowFor({ line: line.port, mqtt: broker.port }), author: 'test' }))
        .status,
    ).toBe(200);

    await until('the serial line is connected', () => line.send('\r\n') > 0);
    await until('a level is accepted', () => {
      line.send('1,61.2\r\n');
      return records.some((one) => one['quantity'] === 'LAeq');
    });
    const udpPort = own.gateway.runner?.lora.portOf('a3') ?? 0;
    const forwarder = await started(
      new SimulatedForwarder({
        host: '127.0.0.1',
        port: udpPort,
        gatewayEui: 'aa555a0000000001',
        clock: systemClock,
        random: Math.random,
      }),
    );
    const device = new SimulatedDevice(KILL_DEVICE, 700);
    const frame = device.uplink(5, Buffer.from([0, 0, 0, 7, 1, 14, 3]), true);
    forwarder.push([frame]);
    forwarder.push([frame]);

    await until(
      'both values arrive',
      () =>
        records.some((one) => one['place'] === 'place-line' && one['quantity'] === 'LAeq') &&
        records.some((one) => one['quantity'] === 'pedestrianCount'),
    );
    expect(records.find((one) => one['quantity'] === 'LAeq')).toMatchObject({
      kind: 'sample',
      value: 61.2,
      unit: 'dB(A)',
      period: 'PT0.01S',
      quality: 'good',
    });
    expect(records.find((one) => one['quantity'] === 'airTemperature')).toMatchObject({
      place: 'place-lora',
      device: 'dev-lora',
      value: 27,
    });
    expect(records.filter((one) => one['quantity'] === 'pedestrianCount')).toHaveLength(1);
    expect(records.filter((one) => 'problem' in one)).toEqual([]);
    const sequence = [...new Set(records.map((one) => Number(one['seq'])))];
    expect(sequence).toEqual(sequence.map((_seq, index) => index + 1));
  });

  it('starts without a broker and without a serial line, and says so', async () => {
    const own = new RunningGateway(folder.path);
    await started(own.gateway);
    await own.request('PUT', '/v1/flow', { flow: flowFor({ line: 9, mqtt: 9 }), author: 'test' });
    await until('the port is known to be absent', async () => {
      const stages = (await own.request('GET', '/v1/status')).json['stages'] as { stage: string; state: string }[];
      return stages.some((one) => one.stage === 'port' && one.state === 'failed');
    });
  });

  it('lists an unknown device that is heard over LoRa', async () => {
    const broker = await started(new EmbeddedBroker('127.0.0.1', 0));
    const own = new RunningGateway(folder.path);
    await started(own.gateway);
    await own.request('PUT', '/v1/flow', { flow: flowFor({ line: 9, mqtt: broker.port }), author: 'test' });
    const udpPort = own.gateway.runner?.lora.portOf('a3') ?? 0;
    const forwarder = await started(
      new SimulatedForwarder({
        host: '127.0.0.1',
        port: udpPort,
        gatewayEui: 'aa555a0000000001',
        clock: systemClock,
        random: Math.random,
      }),
    );
    forwarder.push([new SimulatedDevice({ ...KILL_DEVICE, devAddr: '0abc0001' }, 0).uplink(1, Buffer.from([1]))]);
    await until('the stranger is listed', async () =>
      (await own.request('GET', '/v1/heard')).body.includes('0abc0001'),
    );
  });

  it('keeps a second gateway off the same data directory, and goes on unharmed', async () => {
    const own = new RunningGateway(folder.path);
    await started(own.gateway);
    const second = new Gateway(
      { dataDir: folder.path, flowFile: '', editor: 'off', api: 'off', language: 'en', env: {} },
      { clock: systemClock, log: memoryLog(), metrics: new Metrics(), random: Math.random },
    );
    const refusal = await second.start().then(
      () => undefined,
      (error: unknown) => error,
    );
    await second.stop();
    expect(hasCode(refusal, 'STORE_LOCKED')).toBe(true);
    expect((await own.request('GET', '/v1/status')).status).toBe(200);
  });
});

describe('a deploy', () => {
  it('that does not compile is refused with every fault by node, and what ran goes on', async () => {
    const broker = await started(new EmbeddedBroker('127.0.0.1', 0));
    const line = await started(new LineServer('127.0.0.1', 0));
    const own = new RunningGateway(folder.path);
    await started(own.gateway);
    const good = flowFor({ line: line.port, mqtt: broker.port });
    await own.request('PUT', '/v1/flow', { flow: good, author: 'test' });
    const bad = good.map((node) =>
      node['id'] === 'b1'
        ? { ...node, port: 'nowhere', place: '' }
        : node['id'] === 'd1'
          ? { ...node, stream: 'Not Allowed' }
          : node,
    );
    const refused = await own.request('PUT', '/v1/flow', { flow: bad, author: 'test' });
    expect(refused.status).toBe(422);
    expect(refused.json['code']).toBe('FLOW_INVALID');
    const faults = refused.json['faults'] as { node: string; field: string; message: { fr: string } }[];
    expect(faults.map((fault) => `${fault.node}.${fault.field}`)).toEqual(
      expect.arrayContaining(['b1.port', 'b1.place', 'd1.stream']),
    );
    expect(faults.every((fault) => fault.message.fr.length > 10)).toBe(true);
    expect((await own.request('GET', '/v1/flow')).json['version']).toBe(1);
    await until('lines are still accepted', async () => {
      line.send('5,50.0\r\n');
      return Number((await own.request('GET', '/v1/status')).json['acceptedTotal']) > 0;
    });
  });

  it('of a version that is no longer the newest is a conflict', async () => {
    const own = new RunningGateway(folder.path);
    await started(own.gateway);
    const flow = flowFor({ line: 9, mqtt: 9 });
    await own.request('PUT', '/v1/flow', { flow, author: 'a' });
    const answer = await own.request('PUT', '/v1/flow', { flow, author: 'b' }, { headers: { 'if-match': '"0"' } });
    expect(answer.status).toBe(412);
    expect(answer.json['code']).toBe('FLOW_CONFLICT');
  });

  it('that changes only a send node leaves the serial connection open', async () => {
    const broker = await started(new EmbeddedBroker('127.0.0.1', 0));
    let connections = 0;
    const line = await started(new LineServer('127.0.0.1', 0));
    const own = new RunningGateway(folder.path);
    await started(own.gateway);
    const flow = flowFor({ line: line.port, mqtt: broker.port });
    await own.request('PUT', '/v1/flow', { flow, author: 'test' });
    await until('the line is connected', () => (connections = line.send('1,50.0\r\n')) === 1);
    const changed = flow.map((node) => (node['id'] === 'd1' ? { ...node, maxAge: '300ms' } : node));
    expect((await own.request('PUT', '/v1/flow', { flow: changed, author: 'test' })).json['version']).toBe(2);
    expect(line.send('2,50.0\r\n')).toBe(connections);
  });

  it('can be rolled back, and runs again after a restart', async () => {
    const first = new RunningGateway(folder.path);
    await first.gateway.start();
    const flow = flowFor({ line: 9, mqtt: 9 });
    await first.request('PUT', '/v1/flow', { flow, author: 'a' });
    await first.request('PUT', '/v1/flow', {
      flow: flow.map((node) => (node['id'] === 'a0' ? { ...node, gateway: 'gw-two' } : node)),
      author: 'b',
    });
    expect((await first.request('POST', '/v1/flow/rollback', { version: 1, author: 'c' })).json['version']).toBe(3);
    await first.gateway.stop();
    const second = new RunningGateway(folder.path);
    await started(second.gateway);
    expect((await second.request('GET', '/v1/status')).json).toMatchObject({
      gateway: 'gw-kill',
      flow: { running: 3 },
    });
  });

  it('without a flow that compiles runs an empty plan and does not exit', async () => {
    const own = new RunningGateway(folder.path, { flowFile: '/nonexistent/flow.json' });
    await started(own.gateway);
    expect((await own.request('GET', '/v1/status')).json).toMatchObject({ flow: { running: 0 } });
    expect(own.log.lines.some((entry) => entry.level === 'error' && entry.message.includes('flow file'))).toBe(true);
  });
});

describe('injected samples', () => {
  it('are on disk when the answer comes, and a retry with the same key counts once', async () => {
    const own = new RunningGateway(folder.path);
    await started(own.gateway);
    await own.request('PUT', '/v1/flow', { flow: flowFor({ line: 9, mqtt: 9 }), author: 'test' });
    const sample = {
      place: 'mairie',
      quantity: 'airTemperature',
      value: 300.15,
      unit: 'K',
      observedAt: '2026-06-01T10:00:00Z',
      key: 'k-1',
    };
    expect((await own.request('POST', '/v1/samples', { samples: [sample] })).status).toBe(202);
    expect((await own.request('POST', '/v1/samples', { samples: [sample] })).status).toBe(202);
    const page = (await own.request('GET', '/v1/samples?from=2026-06-01T00:00:00Z&to=2026-06-02T00:00:00Z')).json[
      'records'
    ] as Record<string, unknown>[];
    expect(page).toHaveLength(1);
    expect(page[0]).toMatchObject({ place: 'mairie', value: 27, unit: '°C', flags: ['injected'] });
  });

  it('of an unknown quantity are refused whole, naming the sample', async () => {
    const own = new RunningGateway(folder.path);
    await started(own.gateway);
    const answer = await own.request('POST', '/v1/samples', {
      samples: [
        { place: 'a', quantity: 'LAeq', value: 50 },
        { place: 'a', quantity: 'smell', value: 1 },
      ],
    });
    expect(answer.status).toBe(400);
    expect(answer.json['detail']).toContain('samples.1');
    expect((await own.request('GET', '/v1/latest')).json).toEqual([]);
  });
});

describe('who may do what', () => {
  it('gives the editor its own socket with fewer rights', async () => {
    const own = new RunningGateway(folder.path, { editor: 'headless' });
    await started(own.gateway);
    expect((await own.request('GET', '/v1/flow', undefined, { socket: 'editor.sock' })).status).toBe(200);
    for (const path of ['/v1/registry/export?keys=true', '/v1/devices', '/v1/streams']) {
      expect((await own.request('GET', path, undefined, { socket: 'editor.sock' })).status, path).toBe(403);
    }
  });

  it('asks for the token over TCP and gives the credentials to nobody there', async () => {
    const own = new RunningGateway(folder.path, { api: { host: '127.0.0.1', port: 0 } });
    await started(own.gateway);
    const base = `http://127.0.0.1:${own.gateway.apiPort}`;
    expect((await fetch(`${base}/v1/status`)).status).toBe(401);
    expect((await fetch(`${base}/v1/status`, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    const { apiToken } = await import('../../src/gateway.ts');
    const token = await apiToken(folder.path);
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${base}/v1/status`, { headers })).status).toBe(200);
    expect((await fetch(`${base}/v1/flow/credentials`, { headers })).status).toBe(403);
    const login = await fetch(`${base}/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    expect(login.status).toBe(204);
    const cookie = login.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
    expect((await fetch(`${base}/v1/status`, { headers: { cookie: cookie.split(';')[0] ?? '' } })).status).toBe(200);
  });

  it('measures all the same when the address of the API is taken, and says so', async () => {
    const taken = await started(new LineServer('127.0.0.1', 0));
    const own = new RunningGateway(folder.path, { api: { host: '127.0.0.1', port: taken.port } });
    await started(own.gateway);
    expect(own.log.lines.some((entry) => entry.level === 'error' && entry.message.includes('API over TCP'))).toBe(true);
    expect((await own.request('GET', '/v1/status')).status).toBe(200);
  });

  it('answers malformed requests with problem details and stays up', async () => {
    const own = new RunningGateway(folder.path);
    await started(own.gateway);
    const answers = [
      await own.request('GET', '/v1/nothing'),
      await own.request('GET', '/v1/samples'),
      await own.request('PUT', '/v1/flow', { flow: 'no' }),
      await own.request('PUT', '/v1/flow', Buffer.from('{'), { type: 'application/json' }),
      await own.request('POST', '/v1/flow/rollback', { version: 99 }),
      await own.request('DELETE', '/v1/streams/none'),
    ];
    expect(answers.map((answer) => answer.json['code'])).toEqual([
      'API_NOT_FOUND',
      'API_BAD_REQUEST',
      'API_BAD_REQUEST',
      'API_BAD_REQUEST',
      'FLOW_VERSION_UNKNOWN',
      'STREAM_UNKNOWN',
    ]);
    expect(
      answers.every((answer) => String(answer.headers['content-type']).startsWith('application/problem+json')),
    ).toBe(true);
  });

  it('survives an event reader that hangs up', async () => {
    const own = new RunningGateway(folder.path, { api: { host: '127.0.0.1', port: 0 } });
    await started(own.gateway);
    const { apiToken } = await import('../../src/gateway.ts');
    const socket = connect(own.gateway.apiPort, '127.0.0.1');
    socket.write(`GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${await apiToken(folder.path)}\r\n\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    await until(
      'the reader is gone and the API answers',
      async () => (await own.request('GET', '/v1/status')).status === 200,
    );
  });
});
