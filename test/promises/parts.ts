import { onTestFinished } from 'vitest';
import { receiveBatches } from '../../src/forward/receive.ts';
import { systemClock, type Clock } from '../../src/runtime/clock.ts';
import type { Service } from '../../src/runtime/lifecycle.ts';
import { EmbeddedBroker } from '../../src/sources/simulate/embedded-broker.ts';
import { LineServer } from '../../src/sources/simulate/line-server.ts';
import { SimulatedForwarder } from '../../src/sources/simulate/packet-forwarder.ts';
import type { GatewayOptions } from '../../src/gateway.ts';
import { temporaryFolder, RunningGateway } from '../e2e/running-gateway.ts';
import { MqttStub } from '../fakes/mqtt-stub.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { broker, concentrator, gateway, port, send, serial, type Json } from '../flow/flow-builder.ts';

/** Starts a part and stops it with the test; the part started last stops first. */
export async function started<Part extends Service>(part: Part): Promise<Part> {
  await part.start();
  onTestFinished(() => part.stop());
  return part;
}

export async function folder(): Promise<string> {
  const { path, remove } = await temporaryFolder();
  onTestFinished(remove);
  return path;
}

export const lineServer = (): Promise<LineServer> => started(new LineServer('127.0.0.1', 0));
export const embeddedBroker = (tcpPort = 0): Promise<EmbeddedBroker> =>
  started(new EmbeddedBroker('127.0.0.1', tcpPort));

export async function mqttStub(): Promise<MqttStub> {
  const stub = new MqttStub();
  await stub.start();
  onTestFinished(() => stub.stop());
  return stub;
}

export const runningGateway = async (
  dataDir: string,
  options: Partial<GatewayOptions> = {},
  clock: Clock = systemClock,
): Promise<RunningGateway> => {
  const own = new RunningGateway(dataDir, options, clock);
  await started(own.gateway);
  return own;
};

/** A wall clock so many times faster than time, so that a test sees windows end; timers keep to time. */
export function fastClock(times: number): Clock {
  const start = systemClock.nowMs();
  return { ...systemClock, nowMs: () => start + Math.floor((systemClock.nowMs() - start) * times) };
}

export const forwarderTo = (udpPort: number): Promise<SimulatedForwarder> =>
  started(
    new SimulatedForwarder({
      host: '127.0.0.1',
      port: udpPort,
      gatewayEui: 'aa555a0000000001',
      clock: systemClock,
      random: Math.random,
    }),
  );

export interface Received {
  readonly records: Record<string, unknown>[];
  readonly problems: string[];
}

/** What a receiver holds that drops repeated numbers; `seq` and `stream` of its batch are put into each record. */
export async function receiverAt(tcpPort: number, protocol: 4 | 5 = 4, resendAfterMs = 1000): Promise<Received> {
  const received: Received = { records: [], problems: [] };
  const receiver = await receiveBatches(
    {
      brokerUrl: `mqtt://127.0.0.1:${tcpPort}`,
      prefix: 'cigale/v1',
      protocol,
      clientId: `receiver-${Math.random()}`,
      history: true,
      resendAfterMs,
      onRecord: (record, batch) =>
        void received.records.push({ ...record, seq: batch.seq, stream: batch.stream, lane: batch.lane }),
      onProblem: ({ kind, detail }) => void received.problems.push(`${kind} ${detail}`),
    },
    { clock: systemClock, log: memoryLog() },
  );
  onTestFinished(() => receiver.stop());
  return received;
}

/** Values of the numbered lines among records, in order of arrival. */
export const numbersIn = (records: readonly Record<string, unknown>[]): number[] =>
  records.filter(({ quantity }) => quantity === 'number').map(({ value }) => Number(value));

export const oneTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** The nodes that most flows of these tests share; a test changes what it speaks of. */
export const flowParts = {
  gateway: (more: Json = {}): Json => gateway({ commitInterval: '100ms', ...more }),
  /** 3.1.1, which the broker in process speaks. */
  broker: (tcpPort: number, more: Json = {}): Json =>
    broker({ url: `mqtt://127.0.0.1:${tcpPort}`, protocol: 4, acceptSilentLoss: true, ...more }),
  broker5: (tcpPort: number, more: Json = {}): Json => broker({ url: `mqtt://127.0.0.1:${tcpPort}`, ...more }),
  port: (tcpPort: number, more: Json = {}): Json =>
    port({ path: `tcp://127.0.0.1:${tcpPort}`, delimiter: '\n', ...more }),
  /** Lines `NUMBER,LEVEL`. */
  serial: (more: Json = {}): Json =>
    serial({
      format: 'csv',
      separator: ',',
      channels: [
        { key: '0', quantity: 'number' },
        { key: '1', quantity: 'LAeq', averaging: '1s' },
      ],
      ...more,
    }),
  concentrator: (more: Json = {}): Json =>
    concentrator({ kind: 'udp', bind: '127.0.0.1', port: 0, region: 'EU868', ...more }),
  send: (more: Json = {}): Json => send({ maxAge: '100ms', maxRecords: 100, ...more }),
};
