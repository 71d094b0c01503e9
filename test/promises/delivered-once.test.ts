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

  it('what a broker refuses for rights, quota or topic is kept, delays no other stream, and arrives once that is corrected', async () => {
    const broker = await mqttStub();
    const received = await receiverAt(broker.port, 5);
    const own = await runningGateway(await folder());
    const code = { now: 0x87 };
    let refusals = 0;
    broker.answer = ({ topic }) => {
      if (code.now === 0 || !topic.endsWith('/ville/batch')) return { reasonCode: 0 };
      refusals += 1;
      return { reasonCode: code.now };
    };
    const flow = [
      flowParts.gateway(),
      flowParts.broker5(broker.port),
      foreign('f', [['send', 'send-other']]),
      flowParts.send(),
      flowParts.send({ id: 'send-other', stream: 'autre' }),
    ];
    expect((await own.request('PUT', '/v1/flow', { flow })).status).toBe(200);
    const inject = async (node: string, value: number): Promise<void> => {
      const samples = [{ place: 'mairie', quantity: 'number', value }];
      expect((await own.request('POST', '/v1/samples', { node, samples })).status).toBe(202);
    };
    const of = (stream: string): number[] =>
      numbersIn(received.records.filter((record) => record['stream'] === stream));
    for (const [round, refusal] of [0x87, 0x97, 0x90].entries()) {
      code.now = refusal;
      refusals = 0;
      await inject('send', round);
      await until('it is refused', () => refusals > 0);
      await inject('send-other', round);
      await until('the other stream goes on', () => of('autre').length === round + 1);
      expect(of('ville')).toHaveLength(round);
      const stages = (await own.request('GET', '/v1/status')).json['stages'] as Json[];
      const ville = stages.find(({ id }) => id === 'ville') as { state: string; text: { fr: string } };
      expect(ville.state).toBe('failed');
      expect(ville.text.fr).toContain(`0x${refusal.toString(16)}`);
      code.now = 0;
      await until('it has arrived', () => of('ville').length === round + 1);
      expect(refusals).toBeLessThan(6);
    }
    expect(of('ville')).toEqual([0, 1, 2]);
  });

  it('a record that the broker refuses is set aside and named, and everything else arrives', async () => {
    const broker = await mqttStub();
    const received = await receiverAt(broker.port, 5);
    const own = await runningGateway(await folder());
    broker.answer = ({ topic, payload }) => ({
      reasonCode: topic.endsWith('/batch') && payload.includes('"value":13,') ? 0x99 : 0,
    });
    const flow = [
      flowParts.gateway(),
      flowParts.broker5(broker.port),
      foreign('f', [['send']]),
      flowParts.send({ compress: 'identity' }),
    ];
    expect((await own.request('PUT', '/v1/flow', { flow })).status).toBe(200);
    const samples = oneTo(40).map((value) => ({ place: 'mairie', quantity: 'number', value }));
    expect((await own.request('POST', '/v1/samples', { node: 'send', samples })).status).toBe(202);
    const wanted = oneTo(40).filter((value) => value !== 13);
    await until('the others have arrived', () => numbersIn(received.records).length >= wanted.length);
    const parked = async (): Promise<unknown> =>
      ((await own.request('GET', '/v1/streams')).json as unknown as Json[])[0]?.['parkedRecords'];
    await until('it is set aside', async () => (await parked()) === 1);
    expect(numbersIn(received.records).toSorted((a, b) => a - b)).toEqual(wanted);
  });
});
