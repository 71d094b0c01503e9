import type { StreamSettings } from '../../src/model/plan.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { StreamSender } from '../../src/forward/stream-sender.ts';
import type { Publisher } from '../../src/forward/publisher.ts';
import { ManualClock, settle } from '../fakes/manual-clock.ts';
import { ManualPublisher } from '../fakes/manual-publisher.ts';
import { MemoryOutbox, type OutboxProcess } from '../fakes/memory-outbox.ts';
import { memoryLog } from '../fakes/silent-log.ts';

export const streamSettings = (more: Partial<StreamSettings> = {}): StreamSettings => ({
  nodeId: 'send-1',
  name: '',
  broker: 'broker-1',
  stream: 'ville',
  maxRecords: 100,
  maxBytes: 524_288,
  maxAgeMs: 10_000,
  order: 'live-first',
  backlogRate: 1000,
  since: 'deploy',
  format: 'json',
  // No compression: it runs in other threads, and the clock of these tests would not wait for them.
  compress: 'identity',
  ...more,
});

export interface Life {
  readonly store: OutboxProcess;
  readonly sender: StreamSender;
}

/** A gateway's sending side on a disk that outlives it. */
export class Sending {
  readonly disk: MemoryOutbox;
  readonly clock = new ManualClock();
  readonly log = memoryLog();
  readonly metrics = new Metrics();
  readonly publisher: ManualPublisher;
  readonly settings: StreamSettings;

  constructor(
    more: Partial<StreamSettings> = {},
    publisher = new ManualPublisher(),
    disk: MemoryOutbox = new MemoryOutbox(),
  ) {
    this.settings = streamSettings(more);
    this.publisher = publisher;
    this.disk = disk;
  }

  async life(upstream: Publisher = this.publisher): Promise<Life> {
    const store = this.disk.process();
    const sender = new StreamSender(this.settings, {
      store,
      upstream,
      gateway: 'gw-istres-01',
      topicPrefix: 'cigale/v1',
      clock: this.clock,
      log: this.log,
      metrics: this.metrics,
      random: () => 0.5,
    });
    await sender.start();
    await settle();
    return { store, sender };
  }

  /** Lets promises run until `done`, at most some seconds. */
  async quiet(done: () => boolean): Promise<void> {
    const giveUpAt = Date.now() + 5000;
    while (!done() && Date.now() < giveUpAt) await settle();
  }
}

/** Lets the clock run in small steps, and promises between them. */
export async function run(sending: Sending, ms: number, stepMs = 100): Promise<void> {
  for (let elapsedMs = 0; elapsedMs < ms; elapsedMs += stepMs) {
    await sending.clock.advance(stepMs);
    for (let turn = 0; turn < 5; turn += 1) await settle();
  }
}
