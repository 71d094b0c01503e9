import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { receiveBatches } from '../../src/forward/receive.ts';
import { StreamSender } from '../../src/forward/stream-sender.ts';
import { Upstream } from '../../src/forward/upstream.ts';
import { openStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { sampleEntries } from '../fakes/memory-outbox.ts';
import { MqttStub } from '../fakes/mqtt-stub.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { temporaryDirectory } from '../store/temporary-directory.ts';
import { streamSettings } from './sending.ts';

const PATIENCE = { timeout: 15_000 };
const TO = ['stream:ville', 'rule:noise'] as const;
const deps = { clock: systemClock, log: memoryLog(), metrics: new Metrics(), random: Math.random };

interface Life {
  readonly store: Store;
  readonly sender: StreamSender;
  end(): Promise<void>;
}

async function life(dataDir: string, broker: MqttStub): Promise<Life> {
  const store = await openStore({ ...deps, dataDir });
  store.setCommitInterval(20);
  await store.start();
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
    },
    { gateway: 'gw', epoch: store.epoch, credentials: {}, reconnectFirstMs: 20, reconnectMaxMs: 100 },
    deps,
  );
  const settings = streamSettings({ maxRecords: 50, maxAgeMs: 100, compress: 'zstd', backlogRate: 2000 });
  const sender = new StreamSender(settings, { ...deps, store, upstream, gateway: 'gw', topicPrefix: 'cigale/v1' });
  await sender.start();
  await upstream.start();
  return {
    store,
    sender,
    end: async () => {
      await sender.stop();
      await upstream.stop();
      await store.stop();
    },
  };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('a stream on the real store', () => {
  it('delivers each record once over restarts, outages and lost acknowledgements', async () => {
    const dataDir = await temporaryDirectory();
    const broker = new MqttStub();
    await broker.start();
    onTestFinished(() => broker.stop());
    const ids: number[] = [];
    const receiver = await receiveBatches(
      {
        brokerUrl: broker.url,
        prefix: 'cigale/v1',
        clientId: 'receiver',
        resendAfterMs: 100,
        onRecord: (record) => void ids.push(Number(record['id'])),
        onProblem: () => undefined,
      },
      deps,
    );
    onTestFinished(() => receiver.stop());
    let publishes = 0;
    broker.answer = ({ topic }) => {
      publishes += topic.endsWith('/batch') ? 1 : 0;
      return topic.endsWith('/batch') && publishes % 5 === 3 ? 'close' : { reasonCode: 0 };
    };
    let next = 0;
    for (let round = 0; round < 3; round += 1) {
      const one = await life(dataDir, broker);
      for (let part = 0; part < 10; part += 1) {
        await one.store.append(sampleEntries(73, TO, next), 'now');
        next += 73;
      }
      await one.end();
    }
    const last = await life(dataDir, broker);
    await vi.waitFor(() => expect(ids.toSorted((a, b) => a - b)).toEqual(upTo(next)), PATIENCE);
    await vi.waitFor(
      () => expect(last.sender.status()).toMatchObject({ unacknowledged: 0, backlogRecords: 0 }),
      PATIENCE,
    );
    const kept = await last.store.batches('ville', 1, 10_000, 10_000);
    expect(kept.map(({ seq }) => seq)).toEqual(upTo(kept.length));
    expect(kept.reduce((sum, { recordCount }) => sum + recordCount, 0)).toBe(next);
    await last.end();
  });
});
