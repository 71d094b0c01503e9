import { connectAsync } from 'mqtt';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { BrokerSettings, StreamSettings } from '../../src/model/plan.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { receiveBatches, type BatchReceiver } from '../../src/forward/receive.ts';
import { StreamSender } from '../../src/forward/stream-sender.ts';
import { Upstream } from '../../src/forward/upstream.ts';
import { MemoryOutbox, sampleEntries } from '../fakes/memory-outbox.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { streamSettings } from '../forward/sending.ts';
import { Mosquitto } from './mosquitto.ts';

const TO = ['stream:ville'] as const;
const PATIENCE = { timeout: 40_000, interval: 50 };
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

async function mosquitto(
  lines: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
): Promise<Mosquitto> {
  const broker = await Mosquitto.create(lines, files);
  await broker.start();
  onTestFinished(() => broker.remove());
  return broker;
}

async function gateway(
  broker: Mosquitto,
  disk: MemoryOutbox,
  stream: Partial<StreamSettings> = {},
  link: Partial<BrokerSettings> = {},
): Promise<{ sender: StreamSender; upstream: Upstream }> {
  const deps = { clock: systemClock, log: memoryLog(), metrics: new Metrics(), random: Math.random };
  const upstream = new Upstream(
    {
      nodeId: 'broker-1',
      name: '',
      url: broker.url,
      protocol: 5,
      topicPrefix: 'cigale/v1',
      clientId: '',
      caFile: '',
      certFile: '',
      keyFile: '',
      allowNoSubscriber: false,
      ...link,
    },
    { gateway: 'gw', epoch: disk.epoch, credentials: {}, reconnectFirstMs: 50, reconnectMaxMs: 500 },
    deps,
  );
  const settings = streamSettings({
    maxRecords: 100,
    maxAgeMs: 200,
    compress: 'deflate',
    backlogRate: 100_000,
    ...stream,
  });
  const sender = new StreamSender(settings, {
    ...deps,
    store: disk.process(),
    upstream,
    gateway: 'gw',
    topicPrefix: 'cigale/v1',
  });
  await upstream.start();
  await sender.start();
  onTestFinished(async () => {
    await sender.stop();
    await upstream.stop();
  });
  return { sender, upstream };
}

async function receiver(
  broker: Mosquitto,
  ids: number[],
  problems: string[] = [],
  protocol: 5 | 4 = 5,
): Promise<BatchReceiver> {
  const one = await receiveBatches(
    {
      brokerUrl: broker.url,
      prefix: 'cigale/v1',
      clientId: 'receiver',
      persistent: true,
      protocol,
      resendAfterMs: 200,
      onRecord: (record) => void ids.push(Number(record['id'])),
      onProblem: ({ kind }) => void problems.push(kind),
    },
    { clock: systemClock, log: memoryLog() },
  );
  onTestFinished(() => one.stop());
  return one;
}

const sorted = (ids: readonly number[]): number[] => ids.toSorted((a, b) => a - b);

describe('with Mosquitto', () => {
  it.each([5, 4] as const)('delivers exactly what was accepted over MQTT %s', async (protocol) => {
    const broker = await mosquitto();
    const disk = new MemoryOutbox();
    const ids: number[] = [];
    const at = await receiver(broker, ids, [], protocol);
    const { sender } = await gateway(broker, disk, {}, { protocol });
    await vi.waitFor(() => expect(sender.status().state).toBe('sending'), PATIENCE);
    for (let part = 0; part < 20; part += 1) disk.commit(sampleEntries(250, TO, part * 250));
    await vi.waitFor(() => expect(ids.length).toBe(5000), PATIENCE);
    expect(sorted(ids)).toEqual(upTo(5000));
    expect(at.counters()).toMatchObject({ records: 5000, missing: 0, rejected: 0 });
    await vi.waitFor(() => expect(disk.unacknowledgedSeqs('ville')).toEqual([]), PATIENCE);
  });

  it('loses nothing while the broker is killed and started again and again', async () => {
    const broker = await mosquitto();
    const disk = new MemoryOutbox();
    const ids: number[] = [];
    const problems: string[] = [];
    await receiver(broker, ids, problems);
    const { sender } = await gateway(broker, disk);
    await vi.waitFor(() => expect(sender.status().state).toBe('sending'), PATIENCE);
    let next = 0;
    for (let round = 0; round < 5; round += 1) {
      for (let part = 0; part < 10; part += 1) {
        disk.commit(sampleEntries(100, TO, next));
        next += 100;
        await new Promise((resolve) => setImmediate(resolve));
      }
      await broker.kill();
      disk.commit(sampleEntries(300, TO, next));
      next += 300;
      await broker.start();
      await vi.waitFor(() => expect(sender.status().unacknowledged).toBe(0), PATIENCE);
    }
    disk.commit(sampleEntries(100, TO, next));
    next += 100;
    await vi.waitFor(() => expect(ids.length).toBe(next), PATIENCE);
    expect(sorted(ids)).toEqual(upTo(next));
    expect(problems).not.toContain('conflict');
    expect(disk.sealed('ville').map(({ seq }) => seq)).toEqual(upTo(disk.sealed('ville').length));
  });

  it('keeps everything while nobody subscribes, and delivers it when somebody does', async () => {
    const broker = await mosquitto();
    const disk = new MemoryOutbox();
    const { sender } = await gateway(broker, disk);
    disk.commit(sampleEntries(100, TO));
    await vi.waitFor(() => expect(sender.status().state).toBe('no receiver'), PATIENCE);
    expect(disk.unacknowledgedSeqs('ville')).toEqual([1]);
    const ids: number[] = [];
    await receiver(broker, ids);
    await vi.waitFor(() => expect(sorted(ids)).toEqual(upTo(100)), PATIENCE);
    await vi.waitFor(() => expect(disk.unacknowledgedSeqs('ville')).toEqual([]), PATIENCE);
  });

  it('keeps what the access list refuses, and says so', async () => {
    const broker = await mosquitto(['acl_file {folder}/acl'], {
      acl: 'topic readwrite cigale/v1/gw/status\ntopic read #\n',
    });
    const disk = new MemoryOutbox();
    const { sender } = await gateway(broker, disk);
    disk.commit(sampleEntries(100, TO));
    await vi.waitFor(() => expect(sender.status().refusal).toMatchObject({ seq: 1, reasonCode: 0x87 }), PATIENCE);
    expect(sender.status()).toMatchObject({ state: 'refused', unacknowledged: 1 });
    expect(disk.unacknowledgedSeqs('ville')).toEqual([1]);
  });

  it('splits what exceeds message_size_limit, and learns it, on the same connection', async () => {
    const broker = await mosquitto(['message_size_limit 2000']);
    const disk = new MemoryOutbox();
    const ids: number[] = [];
    await receiver(broker, ids);
    const { sender, upstream } = await gateway(broker, disk, { compress: 'identity', maxAgeMs: 200 });
    await vi.waitFor(() => expect(sender.status().state).toBe('sending'), PATIENCE);
    const connectedAt = upstream.status().sinceAt;
    disk.commit(sampleEntries(100, TO));
    await vi.waitFor(() => expect(sorted(ids)).toEqual(upTo(100)), PATIENCE);
    await vi.waitFor(() => expect(disk.unacknowledgedSeqs('ville')).toEqual([]), PATIENCE);
    const before = disk.sealed('ville').filter(({ recordCount }) => recordCount === 0).length;
    disk.commit(sampleEntries(100, TO, 100));
    await vi.waitFor(() => expect(sorted(ids)).toEqual(upTo(200)), PATIENCE);
    expect(disk.sealed('ville').filter(({ recordCount }) => recordCount === 0)).toHaveLength(before);
    expect(upstream.status().sinceAt).toBe(connectedAt);
    expect(sender.status().parkedRecords).toBe(0);
  });

  it('sets a record aside that exceeds message_size_limit alone', async () => {
    const broker = await mosquitto(['message_size_limit 2000']);
    const disk = new MemoryOutbox();
    const ids: number[] = [];
    await receiver(broker, ids);
    const { sender } = await gateway(broker, disk, { compress: 'identity', maxAgeMs: 200 });
    const [huge] = sampleEntries(1, TO);
    const poison = { ...huge!, record: { ...huge!.record, place: 'p'.repeat(3000) } };
    disk.commit([...sampleEntries(20, TO), poison, ...sampleEntries(20, TO, 20)]);
    await vi.waitFor(() => expect(sender.status()).toMatchObject({ parkedRecords: 1, unacknowledged: 0 }), PATIENCE);
    await vi.waitFor(() => expect(sorted(ids)).toEqual(upTo(41).filter((id) => id !== 21)), PATIENCE);
  });

  it('makes batches that fit into max_packet_size', async () => {
    const broker = await mosquitto(['max_packet_size 4000']);
    const disk = new MemoryOutbox();
    const ids: number[] = [];
    await receiver(broker, ids);
    const { sender, upstream } = await gateway(broker, disk, { compress: 'identity', maxRecords: 1000 });
    await vi.waitFor(() => expect(sender.status().state).toBe('sending'), PATIENCE);
    expect(upstream.maxPacketBytes).toBe(4000);
    disk.commit(sampleEntries(200, TO));
    await vi.waitFor(() => expect(sorted(ids)).toEqual(upTo(200)), PATIENCE);
  });

  it('shows online and, after its end without goodbye, offline', async () => {
    const broker = await mosquitto();
    const disk = new MemoryOutbox();
    const watcher = await connectAsync(broker.url, { protocolVersion: 5 });
    onTestFinished(() => watcher.endAsync());
    const states: unknown[] = [];
    watcher.on('message', (_topic, payload) => void states.push(JSON.parse(payload.toString())));
    await watcher.subscribeAsync('cigale/v1/gw/status', { qos: 1 });
    await gateway(broker, disk);
    await vi.waitFor(() => expect(states).toEqual([{ state: 'online', epoch: disk.epoch }]), PATIENCE);
    // Another client of the same name ends the first one's session without DISCONNECT: the will is published.
    const thief = await connectAsync(broker.url, { protocolVersion: 5, clientId: 'cigale-gw-broker-1' });
    await thief.endAsync();
    await vi.waitFor(() => expect(states).toContainEqual({ state: 'offline', epoch: disk.epoch }), PATIENCE);
    await vi.waitFor(() => expect(states.at(-1)).toEqual({ state: 'online', epoch: disk.epoch }), PATIENCE);
  });
});
