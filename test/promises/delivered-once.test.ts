import { describe, expect, it } from 'vitest';
import { until } from '../e2e/running-gateway.ts';
import { foreign, type Json } from '../flow/flow-builder.ts';
import { GatewayChild } from './gateway-child.ts';
import {
  embeddedBroker,
  flowParts,
  folder,
  lineServer,
  mqttStub,
  numbersIn,
  oneTo,
  receiverAt,
  runningGateway,
} from './parts.ts';

const seqsOf = (records: readonly Record<string, unknown>[]): number[] =>
  [...new Set(records.map(({ seq }) => Number(seq)))].toSorted((a, b) => a - b);

describe('delivered once', () => {
  it('over lost acknowledgements and kills a number keeps its body, and the receiver holds exactly what was accepted', async () => {
    const line = await lineServer();
    const broker = await mqttStub();
    const received = await receiverAt(broker.port, 5);
    const bodies = new Map<string, Set<string>>();
    let batches = 0;
    broker.answer = (packet) => {
      if (!packet.topic.endsWith('/batch')) return { reasonCode: 0 };
      const seq = String(packet.properties?.userProperties?.['seq']);
      bodies.set(seq, (bodies.get(seq) ?? new Set()).add(packet.payload.toString('base64')));
      batches += 1;
      if (batches % 4 !== 2) return { reasonCode: 0 };
      // It is taken and passed on, and the acknowledgement never arrives.
      broker.passOn(packet);
      return 'close';
    };
    const child = new GatewayChild(await folder());
    const flow = [
      flowParts.gateway(),
      flowParts.broker5(broker.port),
      flowParts.port(line.port),
      flowParts.serial({ wires: [['send'], []] }),
      flowParts.send(),
    ];
    let sent = 0;
    for (let life = 0; life < 3; life += 1) {
      await child.start(flow);
      await until('the line is connected', () => line.send('') > 0);
      const seen = batches;
      await until('some batches are sent', () => {
        line.send(`${(sent += 1)},50.0\n`);
        return batches >= seen + 3;
      });
      await child.end('SIGKILL');
    }
    broker.answer = () => ({ reasonCode: 0 });
    await child.start();
    const accepted = numbersIn(await child.records('samples'));
    await until('everything has arrived', () => numbersIn(received.records).length >= accepted.length);
    expect(numbersIn(received.records).toSorted((a, b) => a - b)).toEqual(accepted);
    expect(seqsOf(received.records)).toEqual(oneTo(seqsOf(received.records).length));
    expect([...bodies.values()].some((variants) => variants.size > 1)).toBe(false);
    expect(received.problems.filter((problem) => !problem.startsWith('gap'))).toEqual([]);
  });

  it('a send node that is deleted and drawn again with its stream loses nothing, and its numbers go on', async () => {
    const broker = await embeddedBroker();
    const received = await receiverAt(broker.port);
    const own = await runningGateway(await folder());
    const flow = (tcpPort: number, ...nodes: Json[]): Json[] => [
      flowParts.gateway(),
      flowParts.broker(tcpPort),
      foreign('f', [nodes.map(({ id }) => String(id))]),
      ...nodes,
    ];
    const deploy = async (nodes: Json[]): Promise<void> => {
      expect((await own.request('PUT', '/v1/flow', { flow: nodes })).status).toBe(200);
    };
    const inject = async (node: string, numbers: number[]): Promise<void> => {
      const samples = numbers.map((value) => ({ place: 'mairie', quantity: 'number', value }));
      expect((await own.request('POST', '/v1/samples', { node, samples })).status).toBe(202);
    };
    await deploy(flow(broker.port, flowParts.send({ id: 'first' })));
    await inject('first', [1, 2]);
    await until('the first arrive', () => received.records.length === 2);
    await deploy(flow(9, flowParts.send({ id: 'first' })));
    await inject('first', [3, 4]);
    await deploy(flow(9, flowParts.send({ id: 'other', stream: 'other' })));
    const streams = (await own.request('GET', '/v1/streams')).json as unknown as Json[];
    expect(streams.map(({ stream, orphan }) => [stream, orphan])).toEqual([
      ['ville', true],
      ['other', false],
    ]);
    await deploy(flow(broker.port, flowParts.send({ id: 'again' })));
    await inject('again', [5]);
    await until('all have arrived', () => received.records.length >= 5);
    expect(numbersIn(received.records)).toEqual([1, 2, 3, 4, 5]);
    expect(seqsOf(received.records)).toEqual(oneTo(seqsOf(received.records).length));
    const late = await receiverAt(broker.port);
    await inject('again', [6]);
    await until('a receiver that comes later has them too', () => late.records.length >= 6);
    expect(numbersIn(late.records).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
