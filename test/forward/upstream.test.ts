import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { BrokerSettings } from '../../src/model/plan.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { Upstream, type UpstreamOptions } from '../../src/forward/upstream.ts';
import { MqttStub } from '../fakes/mqtt-stub.ts';
import { memoryLog } from '../fakes/silent-log.ts';

const brokerSettings = (url: string, more: Partial<BrokerSettings> = {}): BrokerSettings => ({
  nodeId: 'broker-1',
  name: 'ville',
  url,
  protocol: 5,
  topicPrefix: 'cigale/v1',
  clientId: '',
  caFile: '',
  certFile: '',
  keyFile: '',
  allowNoSubscriber: false,
  ...more,
});

async function stub(change: (broker: MqttStub) => void = () => undefined): Promise<MqttStub> {
  const broker = new MqttStub();
  change(broker);
  await broker.start();
  onTestFinished(() => broker.stop());
  return broker;
}

async function connected(
  settings: BrokerSettings,
  options: Partial<UpstreamOptions> = {},
): Promise<{ upstream: Upstream; log: ReturnType<typeof memoryLog>; changes: boolean[] }> {
  const log = memoryLog();
  const upstream = new Upstream(
    settings,
    { gateway: 'gw', epoch: 'E', credentials: {}, reconnectFirstMs: 20, reconnectMaxMs: 200, ...options },
    { clock: systemClock, log, metrics: new Metrics(), random: () => 0.5 },
  );
  const changes: boolean[] = [];
  upstream.onChange((online) => changes.push(online));
  onTestFinished(() => upstream.stop());
  await upstream.start();
  return { upstream, log, changes };
}

const online = (upstream: Upstream): Promise<void> =>
  vi.waitFor(() => expect(upstream.online).toBe(true), { timeout: 10_000 });

const body = Buffer.from('body');

describe('a broker connection', () => {
  it('starts without a broker, says so, and connects once it is there', async () => {
    const probe = createServer();
    await new Promise<void>((resolve) => void probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as { port: number };
    await new Promise((resolve) => void probe.close(resolve));
    const { upstream } = await connected(brokerSettings(`mqtt://127.0.0.1:${port}`));
    await vi.waitFor(() => expect(upstream.status().error?.code).toBe('BROKER_UNREACHABLE'), { timeout: 10_000 });
    expect(await upstream.publish('t', body, {})).toEqual({ kind: 'not-sent' });
    const broker = new MqttStub();
    await broker.start(port);
    onTestFinished(() => broker.stop());
    await online(upstream);
    expect(upstream.status()).toMatchObject({ state: 'online', error: null });
  });

  it('announces itself retained and leaves a will', async () => {
    const broker = await stub();
    const { upstream } = await connected(brokerSettings(broker.url));
    await online(upstream);
    expect(broker.connects[0]).toMatchObject({
      clientId: 'cigale-gw-broker-1',
      clean: true,
      will: { topic: 'cigale/v1/gw/status', retain: true, qos: 1 },
    });
    expect(JSON.parse(broker.connects[0]!.will!.payload.toString())).toEqual({ state: 'offline', epoch: 'E' });
    await upstream.stop();
    const said = broker.received.map(({ topic, payload, retain }) => [topic, retain, JSON.parse(payload.toString())]);
    expect(said).toEqual([
      ['cigale/v1/gw/status', true, { state: 'online', epoch: 'E' }],
      ['cigale/v1/gw/status', true, { state: 'offline', epoch: 'E' }],
    ]);
  });

  it.each([
    [0x00, { kind: 'acknowledged' }],
    [0x10, { kind: 'no-subscriber' }],
    [0x87, { kind: 'refused', reasonCode: 0x87 }],
    [0x97, { kind: 'refused', reasonCode: 0x97 }],
    [0x99, { kind: 'refused', reasonCode: 0x99 }],
  ])('reports PUBACK 0x%s as what it is', async (reasonCode, outcome) => {
    const broker = await stub((one) => {
      one.answer = ({ topic }) => ({ reasonCode: topic === 't' ? reasonCode : 0 });
    });
    const { upstream } = await connected(brokerSettings(broker.url));
    await online(upstream);
    expect(await upstream.publish('t', body, {})).toEqual(outcome);
  });

  it('takes 0x10 as an acknowledgement only where the flow says so', async () => {
    const broker = await stub((one) => {
      one.answer = () => ({ reasonCode: 0x10 });
    });
    const { upstream } = await connected(brokerSettings(broker.url, { allowNoSubscriber: true }));
    await online(upstream);
    expect(await upstream.publish('t', body, {})).toEqual({ kind: 'acknowledged' });
  });

  it('understands a code that the standard does not allow there, and goes on', async () => {
    const broker = await stub((one) => {
      one.answer = ({ topic }) => ({ reasonCode: topic === 'large' ? 0x95 : 0 });
    });
    const { upstream, changes } = await connected(brokerSettings(broker.url));
    await online(upstream);
    expect(await upstream.publish('large', body, {})).toEqual({ kind: 'refused', reasonCode: 0x95 });
    expect(await upstream.publish('t', body, {})).toEqual({ kind: 'acknowledged' });
    expect(changes).toEqual([true]);
    expect(broker.received.filter(({ topic }) => topic === 'large')).toHaveLength(1);
  });

  it('drops a connection on which an acknowledgement does not come, and resends nothing by itself', async () => {
    const broker = await stub((one) => {
      one.answer = ({ topic }) => (topic === 't' ? 'drop' : { reasonCode: 0 });
    });
    const { upstream, changes } = await connected(brokerSettings(broker.url), { ackDeadlineMs: 100 });
    await online(upstream);
    const outcomes = await Promise.all([upstream.publish('t', body, {}), upstream.publish('t', body, {})]);
    expect(outcomes).toEqual([{ kind: 'connection-lost' }, { kind: 'connection-lost' }]);
    await vi.waitFor(() => expect(changes.length).toBeGreaterThanOrEqual(3), { timeout: 10_000 });
    expect(broker.received.filter(({ topic }) => topic === 't')).toHaveLength(2);
  });

  it('keeps to the Receive Maximum of the broker', async () => {
    const broker = await stub((one) => {
      one.limits = { receiveMaximum: 3 };
      one.delayMs = 2;
    });
    const { upstream } = await connected(brokerSettings(broker.url));
    await online(upstream);
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => upstream.publish('t', body, {})));
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['acknowledged']));
    expect(broker.mostUnanswered).toBe(3);
  });

  it('does not send what exceeds the Maximum Packet Size of the broker', async () => {
    const broker = await stub((one) => {
      one.limits = { maximumPacketSize: 1000 };
    });
    const { upstream } = await connected(brokerSettings(broker.url));
    await online(upstream);
    expect(upstream.maxPacketBytes).toBe(1000);
    expect(await upstream.publish('t', Buffer.alloc(1001), {})).toEqual({ kind: 'refused', reasonCode: 0x95 });
    expect(broker.received.filter(({ topic }) => topic === 't')).toHaveLength(0);
  });

  it('gives everything back when the connection ends, what was sent and what was not', async () => {
    const broker = await stub((one) => {
      one.limits = { receiveMaximum: 1 };
      one.answer = ({ topic }) => (topic === 't' ? 'close' : { reasonCode: 0 });
    });
    const { upstream } = await connected(brokerSettings(broker.url));
    await online(upstream);
    const outcomes = await Promise.all([upstream.publish('t', body, {}), upstream.publish('u', body, {})]);
    expect(outcomes).toEqual([{ kind: 'connection-lost' }, { kind: 'not-sent' }]);
  });

  it('says that a broker refused it', async () => {
    const broker = await stub((one) => {
      one.connackCode = 0x86;
    });
    const { upstream } = await connected(brokerSettings(broker.url));
    await vi.waitFor(() => expect(upstream.status().error?.code).toBe('BROKER_REFUSED'), { timeout: 10_000 });
  });

  it.each([
    ['a URL that is none', { url: 'nonsense' }],
    ['a certificate file that is not there', { url: 'mqtts://127.0.0.1:1', caFile: '/nowhere/ca.pem' }],
  ])('names %s as a fault of configuration', async (_what, more) => {
    const { upstream } = await connected(brokerSettings(more.url, more));
    await vi.waitFor(() => expect(upstream.status().error?.code).toBe('BROKER_CONFIG'), { timeout: 10_000 });
  });

  it('comes back at once on a line that flaps, as long as each connection takes a batch', async () => {
    let taken = 0;
    const broker = await stub((one) => {
      one.answer = ({ topic }) => {
        if (topic !== 't') return { reasonCode: 0 };
        taken += 1;
        setTimeout(() => one.dropAll(), 5);
        return { reasonCode: 0 };
      };
    });
    const { upstream } = await connected(brokerSettings(broker.url), { reconnectFirstMs: 10, reconnectMaxMs: 60_000 });
    // Without a new start of the delays the twelfth of them alone would be 20 s.
    for (let flap = 1; flap <= 12; flap += 1) {
      await vi.waitFor(
        async () => {
          await upstream.publish('t', body, {});
          expect(taken).toBeGreaterThanOrEqual(flap);
        },
        { timeout: 5000 },
      );
      await vi.waitFor(() => expect(upstream.online).toBe(false), { timeout: 5000, interval: 1 });
    }
  });

  it('gives up a broker that takes the connection and says nothing, and says so', async () => {
    const silent = createServer((socket) => socket.on('error', () => socket.destroy()));
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    onTestFinished(() => void silent.close());
    const { upstream } = await connected(brokerSettings(`mqtt://127.0.0.1:${port}`), { connackDeadlineMs: 50 });
    await vi.waitFor(() => expect(upstream.status().error?.text.en).toContain('does not answer'), { timeout: 10_000 });
    expect(upstream.status().error?.code).toBe('BROKER_UNREACHABLE');
  });

  it.each([
    [0x86, 5, 'user or password'],
    [0x8a, 5, 'banned'],
    [0x9d, 5, 'moved'],
    [4, 4, 'user or password'],
  ] as const)('says to a technician what CONNACK %i of protocol %i means', async (code, protocol, words) => {
    const broker = await stub((one) => {
      one.connackCode = code;
    });
    const { upstream } = await connected(brokerSettings(broker.url, { protocol }));
    await vi.waitFor(() => expect(upstream.status().error?.text.en).toContain(words), { timeout: 10_000 });
  });

  it('connects without a will where the broker retains nothing', async () => {
    const broker = await stub((one) => {
      one.connackCode = 0x9a;
    });
    const { upstream } = await connected(brokerSettings(broker.url));
    await vi.waitFor(() => expect(broker.connects.length).toBeGreaterThan(0), { timeout: 10_000 });
    broker.connackCode = 0;
    broker.limits = { retainAvailable: false };
    await online(upstream);
    expect(broker.connects.at(-1)!.will).toBeUndefined();
    expect(broker.received.every(({ retain }) => !retain)).toBe(true);
  });

  it('takes the largest message on its way for the one that was too large (DISCONNECT 0x95)', async () => {
    const broker = await stub((one) => {
      one.answer = ({ topic }) =>
        topic === 'last' ? { disconnect: 0x95 } : topic === 't' ? 'drop' : { reasonCode: 0 };
    });
    const { upstream } = await connected(brokerSettings(broker.url));
    await online(upstream);
    const outcomes = await Promise.all([
      upstream.publish('t', body, {}),
      upstream.publish('t', Buffer.alloc(5000), {}),
      upstream.publish('last', body, {}),
    ]);
    expect(outcomes).toEqual([
      { kind: 'connection-lost' },
      { kind: 'refused', reasonCode: 0x95 },
      { kind: 'connection-lost' },
    ]);
  });

  it('has fewer on their way after the broker found them too many (DISCONNECT 0x93)', async () => {
    const broker = await stub((one) => {
      let isFirst = true;
      one.delayMs = 2;
      one.answer = ({ topic }) => {
        if (topic !== 't' || !isFirst) return { reasonCode: 0 };
        isFirst = false;
        return { disconnect: 0x93 };
      };
    });
    const { upstream, changes } = await connected(brokerSettings(broker.url));
    await online(upstream);
    await upstream.publish('t', body, {});
    await vi.waitFor(() => expect(changes).toEqual([true, false, true]), { timeout: 10_000 });
    broker.mostUnanswered = 0;
    await Promise.all(Array.from({ length: 50 }, () => upstream.publish('t', body, {})));
    expect(broker.mostUnanswered).toBe(10);
  });

  it('keeps a place for live data, however few messages the broker takes at a time', async () => {
    let isHeld = true;
    const broker = await stub((one) => {
      one.limits = { receiveMaximum: 2 };
      one.answer = ({ topic }) => (topic === 'backlog' && isHeld ? 'drop' : { reasonCode: 0 });
    });
    const { upstream } = await connected(brokerSettings(broker.url), { ackDeadlineMs: 2000 });
    await online(upstream);
    const backlog = Array.from({ length: 5 }, () => upstream.publish('backlog', body, { lane: 'backlog' }));
    for (let turn = 0; turn < 5; turn += 1)
      expect(await upstream.publish('live', body, { lane: 'live' })).toEqual({ kind: 'acknowledged' });
    expect(broker.received.filter(({ topic }) => topic === 'backlog')).toHaveLength(1);
    isHeld = false;
    broker.dropAll();
    await Promise.all(backlog);
  });

  it('follows a topic over reconnections', async () => {
    const broker = await stub();
    const { upstream, changes } = await connected(brokerSettings(broker.url));
    const heard: string[] = [];
    upstream.subscribe('orders', (payload) => heard.push(Buffer.from(payload).toString()));
    await online(upstream);
    await vi.waitFor(
      async () => {
        await upstream.publish('orders', Buffer.from('one'), {});
        expect(heard).toContain('one');
      },
      { timeout: 10_000 },
    );
    broker.dropAll();
    await vi.waitFor(() => expect(changes).toEqual([true, false, true]), { timeout: 10_000 });
    await vi.waitFor(
      async () => {
        await upstream.publish('orders', Buffer.from('two'), {});
        expect(heard).toContain('two');
      },
      { timeout: 10_000 },
    );
  });

  it('speaks MQTT 3.1.1, without properties', async () => {
    const broker = await stub();
    const { upstream } = await connected(brokerSettings(broker.url, { protocol: 4 }));
    await online(upstream);
    expect(broker.connects[0]!.protocolVersion).toBe(4);
    const properties = { contentType: 'x', userProperties: { seq: '1' } };
    expect(await upstream.publish('t', body, properties)).toEqual({ kind: 'acknowledged' });
  });

  it('stops although the broker no longer answers', async () => {
    const broker = await stub();
    const { upstream } = await connected(brokerSettings(broker.url));
    await online(upstream);
    broker.answer = () => 'drop';
    const lost = upstream.publish('t', body, {});
    await upstream.stop();
    expect(await lost).toEqual({ kind: 'connection-lost' });
  });

  it('never logs a password', async () => {
    const broker = await stub();
    const url = broker.url.replace('mqtt://', 'mqtt://user:canary@');
    const { upstream, log } = await connected(brokerSettings(url), { credentials: { password: 'canary' } });
    await online(upstream);
    broker.dropAll();
    await vi.waitFor(() => expect(log.lines.length).toBeGreaterThan(1), { timeout: 10_000 });
    expect(JSON.stringify(log.lines)).not.toContain('canary');
  });
});
