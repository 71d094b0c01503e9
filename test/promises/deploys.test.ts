import { describe, expect, it } from 'vitest';
import { until } from '../e2e/running-gateway.ts';
import { foreign, rule, type Json } from '../flow/flow-builder.ts';
import {
  embeddedBroker,
  fastClock,
  flowParts,
  folder,
  lineServer,
  mqttStub,
  numbersIn,
  receiverAt,
  runningGateway,
} from './parts.ts';

const LOG = '/v1/samples?quantity=number&limit=5000&from=2020-01-01T00:00:00Z&to=2200-01-01T00:00:00Z';
const sorted = (numbers: readonly number[]): number[] => [...numbers].toSorted((a, b) => a - b);

describe('a deploy while samples come', () => {
  it('loses none of them: each goes where the old flow or the new one says, and into the windows of the new rule', async () => {
    const line = await lineServer();
    const slow = await mqttStub();
    slow.answer = ({ topic }) => (topic.endsWith('/batch') ? 'drop' : { reasonCode: 0 });
    const broker = await embeddedBroker();
    const received = await receiverAt(broker.port);
    const own = await runningGateway(await folder(), {}, fastClock(20));
    const shared = [flowParts.gateway(), flowParts.port(line.port), flowParts.broker(broker.port, { id: 'fast' })];
    const before = [
      ...shared,
      flowParts.broker5(slow.port),
      flowParts.serial({ id: 'old', wires: [['send-old'], []] }),
      flowParts.send({ id: 'send-old', stream: 'old' }),
    ];
    // The serial node is drawn again, its stream is another, a rule is new: nothing but the port stays.
    const after = (wires: string[], more: Json[]): Json[] => [
      ...shared,
      flowParts.serial({ id: 'new', wires: [['send-new', 'noise', ...wires], []] }),
      rule('noise', { periods: ['1m'], wires: [['send-new']] }),
      flowParts.send({ id: 'send-new', stream: 'new', broker: 'fast' }),
      ...more,
    ];
    expect((await own.request('PUT', '/v1/flow', { flow: before })).status).toBe(200);
    await until('the line is connected', () => line.send('') > 0);
    let sent = 0;
    const sending = setInterval(() => line.send(`${(sent += 1)},50.0\n`), 10);
    await until('a batch is on its way', () => slow.batches().length > 0);
    expect((await own.request('PUT', '/v1/flow', { flow: after([], []) })).status).toBe(200);
    await until('the first window is closed', () => received.records.some(({ kind }) => kind === 'aggregate'));
    clearInterval(sending);
    const orphan = flowParts.send({ id: 'send-old', stream: 'old', broker: 'fast' });
    expect((await own.request('PUT', '/v1/flow', { flow: after(['send-old'], [orphan]) })).status).toBe(200);
    const accepted = async (): Promise<number[]> => {
      const records = (await own.request('GET', LOG)).json['records'] as Record<string, unknown>[];
      return numbersIn(records);
    };
    await until('the last line is on disk', async () => (await accepted()).includes(sent));
    const distinct = (): number[] => sorted([...new Set(numbersIn(received.records))]);
    await until('everything has arrived', async () => distinct().length >= (await accepted()).length, 5000).catch(
      () => null,
    );
    expect(distinct()).toEqual(sorted(await accepted()));

    const first = received.records.find(({ kind }) => kind === 'aggregate') ?? {};
    const instant = (value: unknown): number => Date.parse(String(value));
    const inWindow = received.records.filter(
      ({ stream, quantity, kind, observedAt }) =>
        stream === 'new' &&
        kind === 'sample' &&
        quantity === 'LAeq' &&
        instant(observedAt) > instant(first['start']) &&
        instant(observedAt) <= instant(first['end']),
    );
    expect(first['count']).toBe(inWindow.length);
  });
});

describe('a deploy that removes a stream and its broker', () => {
  it('removes their gauges too: the last backlog is not shown for ever', async () => {
    const broker = await embeddedBroker();
    const own = await runningGateway(await folder());
    const flow = [
      flowParts.gateway(),
      flowParts.broker(broker.port),
      foreign('f', [['send', 'send-off']]),
      flowParts.broker(9, { id: 'dead' }),
      flowParts.send(),
      flowParts.send({ id: 'send-off', broker: 'dead', stream: 'off' }),
    ];
    const gauges = async (): Promise<string[]> =>
      (await own.request('GET', '/v1/metrics')).body
        .split('\n')
        .filter((text) => /^cigale_(backlog_\w+|upstream_online)\{/.test(text))
        .map((text) => text.replace(/ .*/, ''))
        .toSorted();
    const of = (stream: string, node: string): string[] => [
      `cigale_backlog_age_seconds{stream="${stream}"}`,
      `cigale_backlog_records{stream="${stream}"}`,
      `cigale_upstream_online{broker="${node}"}`,
    ];
    expect((await own.request('PUT', '/v1/flow', { flow })).status).toBe(200);
    await until('both are shown', async () => (await gauges()).length === 6);
    expect(await gauges()).toEqual([...of('ville', 'broker'), ...of('off', 'dead')].toSorted());
    const without = flow.filter(({ id }) => id !== 'dead' && id !== 'send-off');
    expect((await own.request('PUT', '/v1/flow', { flow: without })).status).toBe(200);
    expect(await gauges()).toEqual(of('ville', 'broker'));
  });
});
