import { createSocket } from 'node:dgram';
import { describe, expect, it } from 'vitest';
import { until } from '../e2e/running-gateway.ts';
import { foreign, type Json } from '../flow/flow-builder.ts';
import { GatewayChild } from './gateway-child.ts';
import { flowParts, folder, forwarderTo, lineServer, runningGateway } from './parts.ts';

const NOBODY = 9;
const OLD = Date.parse('2026-06-01T10:00:00Z');

/** Values that no compression makes small. */
const samples = (count: number): Json[] =>
  Array.from({ length: count }, () => ({
    place: 'mairie',
    quantity: 'airTemperature',
    value: Math.random() * 40,
    observedAt: OLD + Math.floor(Math.random() * 1e9),
  }));

describe('everything is bounded, and what is refused is counted', () => {
  it('a line without end costs nothing but its count, and the line after it is read', async () => {
    const line = await lineServer();
    const own = await runningGateway(await folder());
    const flow = [
      flowParts.gateway(),
      flowParts.broker(NOBODY),
      flowParts.port(line.port, { maxFrameBytes: 200 }),
      flowParts.serial({ wires: [['send'], []] }),
      flowParts.send(),
    ];
    expect((await own.request('PUT', '/v1/flow', { flow })).status).toBe(200);
    await until('the line is connected', () => line.send('') > 0);
    await until('a line is accepted', async () => {
      line.send('1,50.0\n');
      return own.metrics.value('cigale_samples_accepted_total') > 0;
    });
    const accepted = own.metrics.value('cigale_samples_accepted_total');
    line.send(`${'9'.repeat(1_000_000)}\n2,50.0\n`);
    await until('the next line is accepted', () => own.metrics.value('cigale_samples_accepted_total') > accepted);
    expect(own.metrics.value('cigale_frames_rejected_total', { source: 'port', reason: 'too-long' })).toBe(1);
  });

  it('datagrams that are too long, malformed or of strangers are counted by reason, and the list of those heard is bounded', async () => {
    const own = await runningGateway(await folder());
    const flow = [
      flowParts.gateway(),
      flowParts.broker(NOBODY),
      flowParts.concentrator(),
      { id: 'lora', type: 'cigale-lora', concentrator: 'concentrator', wires: [['send']] },
      flowParts.send(),
    ];
    expect((await own.request('PUT', '/v1/flow', { flow })).status).toBe(200);
    const port = own.gateway.runner?.lora.portOf('concentrator') ?? 0;
    const forwarder = await forwarderTo(port);
    for (let stranger = 0; stranger < 600; stranger += 1) {
      const frame = Buffer.alloc(17, 1);
      frame[0] = 0x40;
      frame.writeUInt32LE(stranger, 1);
      frame[5] = 0;
      forwarder.push([frame]);
      if (stranger % 50 === 0) await until('the datagrams are taken', () => forwarder.acknowledged >= stranger - 50);
    }
    const socket = createSocket('udp4');
    const send = (datagram: Buffer): Promise<void> =>
      new Promise((resolve) => {
        socket.send(datagram, port, '127.0.0.1', () => resolve());
      });
    const head = Buffer.from('02000100aa555a0000000001', 'hex');
    await send(Buffer.concat([head, Buffer.alloc(9000, 0x20)]));
    await send(Buffer.concat([head, Buffer.from('{"rxpk":[')]));
    await send(Buffer.concat([head, Buffer.from(`{"rxpk":${'['.repeat(500)}`)]));
    const rejected = (source: string, reason: string): number =>
      own.metrics.value('cigale_frames_rejected_total', { source, reason });
    await until('the strangers are counted', () => rejected('lora', 'unknown-device') === 600);
    await until('the bad datagrams are counted', () => rejected('concentrator', 'too-deep') === 1);
    socket.close();
    expect(rejected('concentrator', 'too-long')).toBe(1);
    expect(rejected('concentrator', 'malformed')).toBe(1);
    expect(JSON.parse((await own.request('GET', '/v1/heard')).body)).toHaveLength(500);
    expect(own.metrics.value('cigale_heard_forgotten_total')).toBe(100);
  });

  it('at the disk limit samples wait in a bounded queue, what does not fit is refused and counted, and the gateway still stops', async () => {
    const child = new GatewayChild(await folder());
    const flow = [
      flowParts.gateway({ diskLimitMb: 1 }),
      flowParts.broker(NOBODY),
      foreign('f', [['send']]),
      flowParts.send(),
    ];
    await child.start(flow);
    const waiting: Promise<unknown>[] = [];
    const refusals: number[] = [];
    for (let round = 0; round < 60 && refusals.length === 0; round += 1) {
      const answer = child.request('POST', '/v1/samples', { node: 'send', samples: samples(10_000) });
      waiting.push(answer.then(({ status }) => status >= 500 && refusals.push(status)));
      await Promise.race([answer, new Promise((resolve) => void setTimeout(resolve, 150))]);
    }
    expect(refusals.length).toBeGreaterThan(0);
    const metrics = (await child.request('GET', '/v1/metrics')).body;
    expect(Number(/^cigale_store_refused_total (\d+)/m.exec(metrics)?.[1])).toBeGreaterThanOrEqual(10_000);
    const stages = (await child.request('GET', '/v1/status')).json['stages'] as { stage: string; facts: Json }[];
    const facts = stages.find(({ stage }) => stage === 'store')?.facts ?? {};
    expect(facts['fault']).toBe('STORE_FULL');
    expect(Number(facts['pendingEntries'])).toBeLessThanOrEqual(200_000);
    expect(await child.end('SIGTERM'), child.log).toBe(0);
    await Promise.all(waiting);
  });
});
