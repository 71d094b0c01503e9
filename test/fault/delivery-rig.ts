import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { StreamSender } from '../../src/forward/stream-sender.ts';
import type { Upstream } from '../../src/forward/upstream.ts';
import type { BrokerSettings } from '../../src/model/plan.ts';
import { every, systemClock, type Clock, type Timer } from '../../src/runtime/clock.ts';
import { background } from '../../src/runtime/lifecycle.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import type { Store } from '../../src/store/store.ts';
import { sampleEntries } from '../fakes/memory-outbox.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { pause } from './command.ts';

/** A second of a trial's clock lasts 1/30 s: what waits for half a minute is over in one. */
export const SPEED = 30;
export const PREFIX = 'cigale/v1';
export const GATEWAY = 'gw-fault';
const RECORDS_PER_SECOND = 5;

/** Time that runs `SPEED` times as fast. */
export function fastClock(): Clock {
  const start = { wallMs: Date.now(), monotonicMs: systemClock.monotonicMs() };
  const elapsedMs = (): number => (systemClock.monotonicMs() - start.monotonicMs) * SPEED;
  return {
    nowMs: () => Math.floor(start.wallMs + elapsedMs()),
    monotonicMs: elapsedMs,
    after: (delayMs, action) => systemClock.after(delayMs / SPEED, action),
  };
}

/** Waits until `isReached` by a clock, at most `seconds` of it; how many it took, or Infinity. */
export async function secondsUntil(clock: Clock, isReached: () => boolean, seconds: number): Promise<number> {
  const fromMs = clock.monotonicMs();
  const elapsed = (): number => (clock.monotonicMs() - fromMs) / 1000;
  while (!isReached()) {
    if (elapsed() > seconds) return Infinity;
    await pause(5);
  }
  return elapsed();
}

export const passSeconds = (seconds: number): Promise<void> => pause((seconds * 1000) / SPEED);

type Modules = typeof import('../../src/forward/upstream.ts') &
  typeof import('../../src/forward/stream-sender.ts') &
  typeof import('../../src/store/sqlite-store.ts');

/** The sending side of the build (or mutant) whose entry point is `main`. */
async function modulesOf(main: string): Promise<Modules> {
  const load = (name: string): Promise<Modules> =>
    import(pathToFileURL(join(dirname(main), `${name}${extname(main)}`)).href) as Promise<Modules>;
  const [upstream, sender, store] = await Promise.all([
    load('forward/upstream'),
    load('forward/stream-sender'),
    load('store/sqlite-store'),
  ]);
  return { ...upstream, ...sender, ...store };
}

export interface DeliveryOptions {
  readonly main: string;
  readonly brokerUrl: string;
  readonly protocol?: 5 | 4;
  readonly random: () => number;
  readonly streams: readonly string[];
  readonly maxRecords?: number;
}

/** Store, upstream and senders of a gateway in this process, on the real store and real sockets, by a fast clock. */
export class DeliveryRig {
  readonly clock = fastClock();
  readonly folder = mkdtempSync(join(tmpdir(), 'cigale-delivery-'));
  readonly log = memoryLog();
  readonly #options: DeliveryOptions;
  readonly senders = new Map<string, StreamSender>();
  #store: Store | undefined;
  #upstream: Upstream | undefined;
  #feeding: Timer | undefined;
  /** Ids 1 to this one are on disk, for every stream. */
  accepted = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  get upstream(): Upstream {
    if (this.#upstream === undefined) throw new Error('the rig has not started');
    return this.#upstream;
  }

  async start(): Promise<void> {
    const { main, brokerUrl, protocol = 5, random, streams, maxRecords = 20 } = this.#options;
    const { Upstream: UpstreamOf, StreamSender: SenderOf, openStore } = await modulesOf(main);
    const deps = { clock: this.clock, log: this.log, metrics: new Metrics(), random };
    const store = await openStore({ ...deps, dataDir: join(this.folder, 'data') });
    store.setCommitInterval(200);
    await store.start();
    this.#store = store;
    const broker: BrokerSettings = {
      nodeId: 'broker-1',
      name: '',
      url: brokerUrl,
      protocol,
      topicPrefix: PREFIX,
      clientId: '',
      caFile: '',
      certFile: '',
      keyFile: '',
      allowNoSubscriber: false,
    };
    const upstream = new UpstreamOf(broker, { gateway: GATEWAY, epoch: store.epoch, credentials: {} }, deps);
    this.#upstream = upstream;
    for (const stream of streams) {
      const sender = new SenderOf(
        {
          nodeId: stream,
          name: '',
          broker: broker.nodeId,
          stream,
          maxRecords,
          maxBytes: 524_288,
          maxAgeMs: 2000,
          order: 'live-first',
          backlogRate: 500,
          since: 'deploy',
          format: 'json',
          compress: 'identity',
        },
        { ...deps, store, upstream, gateway: GATEWAY, topicPrefix: PREFIX },
      );
      this.senders.set(stream, sender);
      await sender.start();
    }
    await upstream.start();
    this.feed();
  }

  /** A few records a second for every stream. */
  feed(): void {
    this.#feeding = every(this.clock, 1000, () => this.#append());
  }

  pauseFeeding(): void {
    this.#feeding?.cancel();
  }

  async stop(): Promise<void> {
    this.pauseFeeding();
    for (const sender of this.senders.values()) await sender.stop();
    await this.#upstream?.stop();
    await this.#store?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #append(): void {
    const store = this.#store;
    if (store === undefined) return;
    const to = this.#options.streams.map((stream) => `stream:${stream}` as const);
    const from = this.accepted;
    this.accepted += RECORDS_PER_SECOND;
    background(store.append(sampleEntries(RECORDS_PER_SECOND, to, from), 'now'), this.log, 'samples were not accepted');
  }
}
