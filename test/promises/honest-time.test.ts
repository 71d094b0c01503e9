import { describe, expect, it, onTestFinished } from 'vitest';
import type { LineServer } from '../../src/sources/simulate/line-server.ts';
import { until, type RunningGateway } from '../e2e/running-gateway.ts';
import { DrivenMachine } from '../fakes/driven-machine.ts';
import { rule, type Json } from '../flow/flow-builder.ts';
import {
  embeddedBroker,
  flowParts,
  folder,
  lineServer,
  numbersIn,
  oneTo,
  receiverAt,
  runningGateway,
  type Received,
} from './parts.ts';

const flow = (ports: { line: number; mqtt: number }): Json[] => [
  flowParts.gateway(),
  flowParts.broker(ports.mqtt),
  flowParts.port(ports.line),
  flowParts.serial({ wires: [['noise', 'send'], []] }),
  rule('noise', { periods: ['1m'] }),
  flowParts.send(),
];

interface Scene {
  readonly machine: DrivenMachine;
  readonly line: LineServer;
  readonly received: Received;
  readonly flow: Json[];
  readonly dataDir: string;
}

async function scene(): Promise<Scene> {
  const mqtt = await embeddedBroker();
  const line = await lineServer();
  const received = await receiverAt(mqtt.port);
  const ports = { line: line.port, mqtt: mqtt.port };
  return { machine: new DrivenMachine(), line, received, flow: flow(ports), dataDir: await folder() };
}

const gatewayOf = ({ machine, dataDir }: Scene): Promise<RunningGateway> =>
  runningGateway(dataDir, { machine }, machine);

const acceptedIn = async (gateway: RunningGateway): Promise<number> =>
  Number((await gateway.request('GET', '/v1/status')).json['acceptedTotal']);

/** Sends a line, after an empty one that a port which was just opened throws away, and waits until its two samples are on disk; when it was sent, in true time. */
async function take(own: Scene, gateway: RunningGateway, number: number): Promise<number> {
  const before = await acceptedIn(gateway);
  const sentAt = Date.now();
  await until(`the line is open for ${number}`, () => own.line.send(`\n${number},60.0\n`) > 0);
  await until(`line ${number} is accepted`, async () => (await acceptedIn(gateway)) >= before + 2);
  return sentAt;
}

const instants = ({ records }: Received): Map<number, number> =>
  new Map(
    records
      .filter(({ quantity }) => quantity === 'number')
      .map(({ value, observedAt }) => [Number(value), Date.parse(String(observedAt))]),
  );

/** Read interval of the port, and a machine that is busy. */
const NEAR_MS = 2000;

describe('honest time', () => {
  it('samples of a gateway that starts in 1970 wait on disk, over a restart too, and leave with their true time', async () => {
    const own = await scene();
    const { machine, received } = own;
    machine.put(Date.UTC(1970, 0, 1, 0, 1));
    const first = await gatewayOf(own);
    await first.request('PUT', '/v1/flow', { flow: own.flow, author: 'test' });
    const sentAt = [await take(own, first, 1)];
    await first.gateway.stop();
    const gateway = await gatewayOf(own);
    sentAt.push(await take(own, gateway, 2));
    const waiting = await gateway.request('GET', '/v1/status');
    expect(waiting.json['clock']).toMatchObject({ quality: 'estimated', source: 'none', heldRecords: 4 });
    const kept = await gateway.request('GET', '/v1/samples?from=1970-01-01T00:00:00Z&to=1970-01-01T01:00:00Z');
    expect(kept.body).toContain('clock-estimated');
    expect(received.records).toEqual([]);

    const answer = await gateway.request('POST', '/v1/clock', { now: new Date().toISOString() });
    expect([answer.status, answer.json['source']]).toEqual([200, 'phone']);
    sentAt.push(await take(own, gateway, 3));
    await until('all arrive', () => numbersIn(received.records).length >= 3);
    expect(numbersIn(received.records).toSorted((a, b) => a - b)).toEqual(oneTo(3));
    for (const [number, at] of instants(received))
      expect(Math.abs(at - (sentAt[number - 1] as number)), `line ${number}`).toBeLessThan(NEAR_MS);
    expect(received.records.every(({ flags }) => JSON.stringify(flags ?? []) === '[]')).toBe(true);
    expect(received.problems).toEqual([]);
  });

  it('no jump of the clock freezes or silences the gateway, or moves a record where the jump cannot be true', async () => {
    const own = await scene();
    const gateway = await gatewayOf(own);
    await gateway.request('PUT', '/v1/flow', { flow: own.flow, author: 'test' });
    const yearMs = 365 * 86_400_000;
    const sentAt: number[] = [await take(own, gateway, 1)];
    for (const offsetMs of [56 * yearMs, -5 * yearMs, -Date.now(), 0]) {
      own.machine.offsetMs = offsetMs;
      sentAt.push(await take(own, gateway, sentAt.length + 1));
    }
    await until('all arrive', () => instants(own.received).size === sentAt.length);
    for (const [number, at] of instants(own.received))
      expect(Math.abs(at - (sentAt[number - 1] as number)), `line ${number}`).toBeLessThan(NEAR_MS);
    expect((await gateway.request('GET', '/v1/status')).json['clock']).toMatchObject({ quality: 'set', steps: 4 });
  });

  it('an hour that comes twice is one window, computed over both', async () => {
    const own = await scene();
    onTestFinished(() => void (own.machine.offsetMs = 0));
    own.machine.service = true;
    const nine = Date.UTC(2026, 10, 23, 9);
    own.machine.put(nine + 10_000);
    const gateway = await gatewayOf(own);
    await gateway.request('PUT', '/v1/flow', { flow: own.flow, author: 'test' });
    await take(own, gateway, 1);
    own.machine.put(nine + 3_600_000 + 10_000);
    const of = (): Record<string, unknown>[] =>
      own.received.records.filter(({ kind, start }) => kind === 'aggregate' && start === new Date(nine).toISOString());
    await until('the window of nine is written', () => of().length > 0);
    own.machine.put(nine + 20_000);
    await take(own, gateway, 2);
    own.machine.put(nine + 7_200_000);
    await until('the window of nine is computed anew', () => of().length > 1);
    expect(of().map(({ revision, count }) => [revision, count])).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });

  it('refuses a time that cannot be, and one where a time service keeps the clock', async () => {
    const own = await scene();
    own.machine.service = true;
    const gateway = await gatewayOf(own);
    const set = (now: string): Promise<{ status: number; json: Record<string, unknown> }> =>
      gateway.request('POST', '/v1/clock', { now });
    expect(await set('1999-12-31T00:00:00Z')).toMatchObject({ status: 400, json: { code: 'API_BAD_REQUEST' } });
    expect(await set('yesterday')).toMatchObject({ status: 400 });
    const kept = await set(new Date().toISOString());
    expect(kept).toMatchObject({ status: 409, json: { code: 'CLOCK_ALREADY_SET' } });
  });
});
