import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { inflateSync } from 'node:zlib';
import { connectAsync } from 'mqtt';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { receiveBatches, type BatchReceiver, type ReceiveOptions } from '../../src/forward/receive.ts';
import type { ReceivedBatch } from '../../src/forward/received-batch.ts';
import { RecentRecords } from '../../src/forward/recent-records.ts';
import { StreamSender } from '../../src/forward/stream-sender.ts';
import { Upstream } from '../../src/forward/upstream.ts';
import { MemoryOutbox, sampleEntries } from '../fakes/memory-outbox.ts';
import { MqttStub } from '../fakes/mqtt-stub.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { streamSettings } from './sending.ts';

const TO = ['stream:ville'] as const;
const PATIENCE = { timeout: 15_000 };
const LONG = { timeout: 60_000 };

const idsOf = (body: Uint8Array): number[] => {
  const { records } = JSON.parse(Buffer.from(body).toString()) as { records: { id: string }[] };
  return records.map(({ id }) => Number(id));
};

interface Chain {
  readonly broker: MqttStub;
  readonly disk: MemoryOutbox;
  readonly sender: StreamSender;
  readonly receiver: BatchReceiver;
  readonly ids: number[];
  readonly problems: string[];
}

/** Gateway's sending side, a broker and a receiver, over sockets. */
async function chain(protocol: 5 | 4 = 5, more: Partial<ReceiveOptions> = {}, maxRecords = 10): Promise<Chain> {
  const broker = new MqttStub();
  await broker.start();
  const disk = new MemoryOutbox();
  const deps = { clock: systemClock, log: memoryLog(), metrics: new Metrics(), random: () => 0.5 };
  const upstream = new Upstream(
    {
      nodeId: 'broker-1',
      name: '',
      url: broker.url,
      protocol,
      topicPrefix: 'cigale/v1',
      clientId: '',
      caFile: '',
      certFile: '',
      keyFile: '',
      allowNoSubscriber: false,
    },
    { gateway: 'gw', epoch: disk.epoch, credentials: {}, reconnectFirstMs: 20, reconnectMaxMs: 100 },
    deps,
  );
  const ids: number[] = [];
  const problems: string[] = [];
  const receiver = await receiveBatches(
    {
      brokerUrl: broker.url,
      prefix: 'cigale/v1',
      clientId: 'receiver',
      protocol,
      resendAfterMs: 100,
      onRecord: (record) => void ids.push(Number(record['id'])),
      onProblem: ({ kind }) => void problems.push(kind),
      ...more,
    },
    deps,
  );
  const sender = new StreamSender(streamSettings({ maxRecords, compress: 'deflate', backlogRate: 100_000 }), {
    ...deps,
    store: disk.process(),
    upstream,
    gateway: 'gw',
    topicPrefix: 'cigale/v1',
  });
  await upstream.start();
  await sender.start();
  onTestFinished(async () => {
    await receiver.stop();
    await sender.stop();
    await upstream.stop();
    await broker.stop();
  });
  await vi.waitFor(() => expect(sender.status().state).toBe('sending'), PATIENCE);
  return { broker, disk, sender, receiver, ids, problems };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

const complete = ({ ids }: Chain, count: number): Promise<void> =>
  vi.waitFor(() => expect(ids.toSorted((a, b) => a - b)).toEqual(upTo(count)), PATIENCE);

describe('a receiver', () => {
  it.each([5, 4] as const)('holds exactly what the gateway accepted, over MQTT %s', async (protocol) => {
    const all = await chain(protocol);
    all.disk.commit(sampleEntries(200, TO));
    await complete(all, 200);
    expect(all.receiver.counters()).toMatchObject({ batches: 20, records: 200, repeats: 0, missing: 0, rejected: 0 });
    expect(all.problems).toEqual([]);
  });

  it('drops the repeat of a batch whose acknowledgement was lost', async () => {
    const all = await chain();
    const lost = new Set<string>();
    all.broker.answer = ({ topic, payload }) => {
      const key = topic.endsWith('/batch') ? payload.toString('latin1') : '';
      if (key === '' || lost.has(key) || lost.size >= 3) return { reasonCode: 0 };
      lost.add(key);
      // It reached the receivers, and the gateway does not learn of it.
      const accepted = all.broker.received.at(-1)!;
      all.broker.passOn(accepted);
      return 'close';
    };
    all.disk.commit(sampleEntries(100, TO));
    await complete(all, 100);
    await vi.waitFor(() => expect(all.disk.unacknowledgedSeqs('ville')).toEqual([]), PATIENCE);
    expect(all.receiver.counters()).toMatchObject({ batches: 10, records: 100, missing: 0 });
    expect(all.receiver.counters().repeats).toBeGreaterThanOrEqual(1);
  });

  it('asks again for a number that did not come', async () => {
    const all = await chain();
    let swallowed = false;
    all.broker.delivers = ({ topic, properties }) => {
      const seq = properties?.userProperties?.['seq'];
      const swallow = topic.endsWith('/batch') && seq === '3' && !swallowed;
      swallowed ||= swallow;
      return !swallow;
    };
    all.disk.commit(sampleEntries(60, TO));
    await complete(all, 60);
    expect(swallowed).toBe(true);
    expect(all.problems).toContain('gap');
    expect(all.receiver.counters()).toMatchObject({ batches: 6, missing: 0 });
    expect(all.receiver.counters().asked).toBeGreaterThanOrEqual(1);
  });

  it('goes on by itself after a broker that was there refused it for a while', async () => {
    const { broker, disk, ids, problems } = await chain();
    broker.connackCode = 0x89;
    broker.dropAll();
    await vi.waitFor(
      () => expect(problems.filter((kind) => kind === 'connection').length).toBeGreaterThan(0),
      PATIENCE,
    );
    broker.connackCode = 0;
    let next = 0;
    await vi.waitFor(
      () => {
        disk.commit(sampleEntries(10, TO, next));
        next += 10;
        expect(ids.length).toBeGreaterThan(0);
      },
      { timeout: 15_000, interval: 200 },
    );
  });

  it('learns that what is missing is gone', async () => {
    const all = await chain();
    all.broker.delivers = ({ topic, properties }) =>
      !(topic.endsWith('/batch') && properties?.userProperties?.['seq'] === '2');
    all.disk.onAcknowledge = (seq) => {
      if (seq === 2) all.disk.forget('ville', 2);
    };
    all.disk.commit(sampleEntries(40, TO));
    await vi.waitFor(() => expect(all.problems).toContain('gone'), PATIENCE);
    expect(all.receiver.counters()).toMatchObject({ batches: 3, gone: 1, missing: 0 });
  });

  it('keeps the number of a batch open until its records are safe', async () => {
    let full = true;
    const kept: number[] = [];
    const all = await chain(5, {
      onRecord: (record) => {
        if (full) throw new Error('disk full');
        kept.push(Number(record['id']));
      },
    });
    all.disk.commit(sampleEntries(10, TO));
    await vi.waitFor(() => expect(all.problems).toContain('not-kept'), PATIENCE);
    full = false;
    await vi.waitFor(() => expect(kept).toEqual(upTo(10)), PATIENCE);
  });

  it('counts what is not a batch of ours, and goes on', async () => {
    const all = await chain();
    const stranger = await connectAsync(all.broker.url, { protocolVersion: 5 });
    const topic = 'cigale/v1/gw/ville/batch';
    const say = (payload: string | Buffer, userProperties: Record<string, string>): Promise<unknown> =>
      stranger.publishAsync(topic, payload, { qos: 1, properties: { userProperties } });
    await say('{}', { encoding: 'rot13' });
    await say('nonsense', { encoding: 'deflate' });
    await say('{}', { encoding: 'identity', sha256: '00' });
    await stranger.endAsync();
    all.disk.commit(sampleEntries(10, TO));
    await complete(all, 10);
    expect(all.receiver.counters().rejected).toBe(3);
    expect(all.problems.toSorted()).toEqual(['bad-hash', 'malformed', 'malformed']);
  });

  it('keeps what it had of a batch that is refused after all, and drops its records when they come again', async () => {
    const all = await chain();
    let isFirst = true;
    all.broker.answer = (packet) => {
      if (!packet.topic.endsWith('/batch')) return { reasonCode: 0 };
      const { seq } = packet.properties?.userProperties ?? {};
      if (seq === '1' && isFirst) {
        isFirst = false;
        all.broker.passOn(packet);
        return 'close';
      }
      return { reasonCode: idsOf(inflateSync(packet.payload)).includes(5) ? 0x99 : 0 };
    };
    all.disk.commit(sampleEntries(30, TO));
    await complete(all, 30);
    await vi.waitFor(
      () => expect(all.sender.status()).toMatchObject({ unacknowledged: 0, parkedRecords: 1 }),
      PATIENCE,
    );
    await vi.waitFor(() => expect(all.receiver.counters().repeatedRecords).toBe(9), PATIENCE);
    expect(all.receiver.counters()).toMatchObject({ records: 30, missing: 0, rejected: 0 });
    expect(all.problems).not.toContain('conflict');
    expect(all.ids).toHaveLength(30);
  });

  it.each([0x99, 0x95])('gets everything but the record that the broker answers with %i', async (reasonCode) => {
    const all = await chain(5, {}, 1000);
    let publishes = 0;
    all.broker.answer = ({ topic, payload }) => {
      if (!topic.endsWith('/batch')) return { reasonCode: 0 };
      publishes += 1;
      return { reasonCode: idsOf(inflateSync(payload)).includes(500) ? reasonCode : 0 };
    };
    all.disk.commit(sampleEntries(1000, TO));
    await vi.waitFor(
      () => expect(all.sender.status()).toMatchObject({ unacknowledged: 0, parkedRecords: 1 }),
      PATIENCE,
    );
    await vi.waitFor(() => expect(all.receiver.counters()).toMatchObject({ records: 999, missing: 0 }), PATIENCE);
    expect(all.ids.toSorted((a, b) => a - b)).toEqual(upTo(1000).filter((id) => id !== 500));
    expect(all.broker.connects.filter(({ clientId }) => clientId.startsWith('cigale-'))).toHaveLength(1);
    expect(publishes).toBeLessThanOrEqual(40);
    expect(all.problems.filter((kind) => kind !== 'gap')).toEqual([]);
  });

  it.each([0x81, 0x93, 0x95, 0x97])(
    'gets everything after the broker disconnected with %i twenty times',
    async (code) => {
      const all = await chain();
      let turns = 20;
      all.broker.answer = ({ topic }) => {
        if (!topic.endsWith('/batch') || turns === 0) return { reasonCode: 0 };
        turns -= 1;
        return { disconnect: code };
      };
      all.disk.commit(sampleEntries(100, TO));
      await vi.waitFor(() => expect(all.receiver.counters()).toMatchObject({ records: 100, missing: 0 }), LONG);
      expect(all.sender.status().parkedRecords).toBe(0);
      expect(all.ids).toHaveLength(100);
      // Twenty times 149 says that batches of one record are too large: 10 batches become at most 10 + 2 × 99.
      const { lastSeq } = all.sender.status();
      expect(lastSeq).toBeLessThanOrEqual(code === 0x95 ? 208 : 10);
      expect(all.broker.batches().length - lastSeq).toBeLessThan(100);
    },
  );

  it.each([0x86, 0x87, 0x88, 0x9f])(
    'sends everything after the broker refused twenty connections with %i',
    async (code) => {
      const all = await chain();
      all.broker.connackCode = code;
      all.broker.dropAll();
      await vi.waitFor(() => expect(all.sender.status().state).toBe('offline'), PATIENCE);
      all.disk.commit(sampleEntries(100, TO));
      const before = all.broker.connects.length;
      await vi.waitFor(() => expect(all.broker.connects.length - before).toBeGreaterThanOrEqual(20), LONG);
      expect(all.sender.status()).toMatchObject({ state: 'offline', lastSeq: 0 });
      all.broker.connackCode = 0;
      await vi.waitFor(() => expect(all.sender.status()).toMatchObject({ backlogRecords: 0, lastSeq: 10 }), LONG);
      const taken = all.broker.batches().flatMap(({ payload }) => idsOf(inflateSync(payload)));
      expect(taken.toSorted((x, y) => x - y)).toEqual(upTo(100));
    },
    60_000,
  );
});

describe('the memory of a receiver', () => {
  const batch = (more: Partial<ReceivedBatch> = {}): ReceivedBatch => ({
    gateway: 'gw',
    stream: 'ville',
    epoch: 'E',
    seq: 1,
    sha256: '',
    lane: 'live',
    createdAt: '',
    records: [],
    isReplaced: false,
    body: new Uint8Array(),
    wireBytes: 0,
    ...more,
  });
  const aggregate = {
    kind: 'aggregate',
    id: '7',
    place: 'p',
    channel: '',
    domain: 'noise',
    quantity: 'LAeq',
    period: 'PT1M',
  };
  const window = { ...aggregate, part: '', start: '2026-11-23T09:58:00.000Z', revision: 0 };

  it('tells records apart by their natural keys, each stream by itself', () => {
    const recent = new RecentRecords();
    recent.add({ kind: 'sample', id: '1', revision: 0 }, batch());
    recent.add(window, batch());
    expect(recent.has({ kind: 'sample', id: '1', revision: 0, value: 3 }, batch({ seq: 9 }))).toBe(true);
    expect(recent.has({ ...window, id: '99' }, batch())).toBe(true);
    expect(recent.has({ kind: 'sample', id: '1', revision: 1 }, batch())).toBe(false);
    expect(recent.has({ ...window, revision: 1 }, batch())).toBe(false);
    expect(recent.has({ kind: 'sample', id: '1', revision: 0 }, batch({ epoch: 'F' }))).toBe(false);
    expect(recent.has({ kind: 'sample', id: '1', revision: 0 }, batch({ gateway: 'other' }))).toBe(false);
    expect(recent.has({ kind: 'sample', id: '1', revision: 0 }, batch({ stream: 'metropole' }))).toBe(false);
  });

  it('is bounded, and forgets the oldest first', () => {
    const recent = new RecentRecords(3);
    const records = ['1', '2', '3', '4'].map((id) => ({ kind: 'sample', id, revision: 0 }));
    for (const record of records) recent.add(record, batch());
    expect(records.map((record) => recent.has(record, batch()))).toEqual([false, true, true, true]);
  });
});
