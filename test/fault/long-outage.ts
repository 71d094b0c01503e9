import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { Aggregator } from '../../src/aggregate/aggregator.ts';
import { StreamSender } from '../../src/forward/stream-sender.ts';
import type { RuleSettings, StreamSettings } from '../../src/model/plan.ts';
import type { Destination, NewEntry, Sample } from '../../src/model/record.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { openStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { ManualPublisher, type Published } from '../fakes/manual-publisher.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { JumpingClock } from './jumping-clock.ts';
import { type Body, OutageOracle, type OutageVerdict } from './outage-oracle.ts';

const DAY_MS = 86_400_000;
const SENSORS = 20;
const SENSOR_INTERVAL_MS = 600_000;
const NOBODY_CAME_MS = 60_000;
/** Commits that come while the backlog is sent: room is made while batches are sealed. */
const STEPS_WHILE_DRAINING = 100;

export interface OutageOptions {
  readonly days: number;
  readonly quotaMb: number | null;
  readonly seed: number;
  /** Seconds of data that one commit holds; the gateway makes a commit a second, which costs time and no room once sealed. */
  readonly commitSeconds: number;
  /** The store is closed and opened again after that many commits; 0: never. */
  readonly restartEvery?: number;
}

export interface OutageResult extends OutageVerdict {
  readonly storeMb: number;
  readonly days: number;
  readonly bytesPerSample: number;
  readonly daysPerGb: number;
  readonly refused: number;
  readonly resolutions: Readonly<Record<string, number>>;
}

const TO: readonly Destination[] = ['stream:ville'];
const NOISE_TO: readonly Destination[] = ['stream:ville', 'rule:noise'];
const RULE: RuleSettings = {
  nodeId: 'noise',
  name: '',
  domain: 'noise',
  periodsMs: [3_600_000],
  minCoverage: 0.75,
  levels: [50],
};
const STREAM: StreamSettings = {
  nodeId: 'send',
  name: '',
  broker: 'broker',
  stream: 'ville',
  maxRecords: 1000,
  maxBytes: 524_288,
  maxAgeMs: 1000,
  order: 'live-first',
  backlogRate: 1e9,
  since: 'deploy',
  format: 'json',
  compress: 'deflate',
};

/** mulberry32, so that a seed gives the same outage again. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One meter at 1 Hz and 20 sensors every ten minutes: ten of temperature, ten that count. */
class Sensors {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  /** What is measured in `(fromMs, toMs]`. */
  measure(fromMs: number, toMs: number): NewEntry[] {
    const entries: NewEntry[] = [];
    for (let at = fromMs + 1000; at <= toMs; at += 1000) {
      entries.push({ record: this.#level(at), to: NOISE_TO });
      if (at % SENSOR_INTERVAL_MS === 0)
        for (let index = 0; index < SENSORS; index += 1) entries.push({ record: this.#sensor(index, at), to: TO });
    }
    return entries;
  }

  /** Quiet nights, a noise that wanders, and now and then something loud. */
  #level(at: number): Sample {
    const hour = (at % DAY_MS) / 3_600_000;
    const base = 52 + 9 * Math.sin(((hour - 9) / 24) * 2 * Math.PI) + 3 * Math.sin(at / 47_000);
    const loud = this.#random() < 0.01 ? 20 * this.#random() : 0;
    const value = Math.round((base + 4 * this.#random() + loud) * 10) / 10;
    const common = { at, delayMs: this.#delayMs(), periodMs: 1000, intervalMs: 1000 };
    return sample({ ...common, place: 'meter', quantity: 'LAeq', unit: 'dB(A)', value });
  }

  #delayMs(): number {
    return 15 + Math.floor(this.#random() * 30);
  }

  #sensor(index: number, at: number): Sample {
    const times = { at: at - index * 1000, delayMs: this.#delayMs(), periodMs: null, intervalMs: SENSOR_INTERVAL_MS };
    const common = { place: `sensor-${index}`, ...times };
    if (index % 2 === 0) {
      const value = Math.round(10 * (18 + 8 * Math.sin(at / DAY_MS) + this.#random())) / 10;
      return sample({ ...common, quantity: 'airTemperature', unit: '°C', value });
    }
    return sample({ ...common, quantity: 'pedestrianCount', unit: '1', value: Math.floor(this.#random() * 40) });
  }
}

type Given = Pick<Sample, 'place' | 'quantity' | 'unit' | 'periodMs' | 'intervalMs' | 'value'> & {
  readonly at: number;
  readonly delayMs: number;
};

const sample = ({ at, delayMs, ...rest }: Given): Sample => {
  const common = { kind: 'sample', channel: '', quality: 'good', flags: [], revision: 0 } as const;
  return { ...common, ...rest, device: rest.place, observedAt: at, receivedAt: at + delayMs };
};

interface Parts {
  readonly store: Store;
  readonly aggregator: Aggregator;
  readonly sender: StreamSender;
}

/** One gateway without its ports: the real store, windows and stream, a clock that jumps, and a broker that is away. */
class Outage {
  readonly oracle = new OutageOracle();
  readonly metrics = new Metrics();
  readonly #dataDir = mkdtempSync(join(tmpdir(), 'cigale-outage-'));
  readonly #options: OutageOptions;
  readonly #clock = new JumpingClock(Date.UTC(2026, 0, 5));
  readonly #publisher = new ManualPublisher();
  readonly #sensors: Sensors;
  readonly #log = memoryLog();
  #parts: Parts | undefined;
  #measuredMs = this.#clock.nowMs();
  #accepted = 0;
  #refused = 0;

  constructor(options: OutageOptions) {
    this.#options = options;
    this.#sensors = new Sensors(options.seed);
    this.#publisher.answer = async (message) => {
      this.#receive(message);
      return { kind: 'acknowledged' };
    };
  }

  async run(progress: (text: string) => void): Promise<OutageResult> {
    try {
      await this.#start();
      await this.#away(progress);
      const { bytes } = await this.#running.store.status();
      await this.#drain(progress);
      const bytesPerSample = bytes / this.#accepted;
      const perDayBytes = (this.#accepted / this.#options.days) * bytesPerSample;
      return {
        ...this.oracle.verdict(),
        days: this.#options.days,
        storeMb: round(bytes / 1_048_576),
        bytesPerSample: round(bytesPerSample),
        daysPerGb: Math.round(1e9 / perDayBytes),
        refused: this.#refused,
        resolutions: this.oracle.resolutions,
      };
    } finally {
      await this.#stop();
      rmSync(this.#dataDir, { recursive: true });
    }
  }

  get #running(): Parts {
    if (this.#parts === undefined) throw new Error('the outage was not started');
    return this.#parts;
  }

  async #start(): Promise<void> {
    const common = { clock: this.#clock, log: this.#log, metrics: this.metrics, random: () => 0.5 };
    const store = await openStore({ ...common, dataDir: this.#dataDir });
    await store.start();
    await store.setDiskLimit(this.#options.quotaMb);
    const aggregator = new Aggregator({ ...common, store });
    aggregator.setRules([RULE], () => TO);
    await aggregator.start();
    const sender = new StreamSender(STREAM, {
      ...common,
      store,
      upstream: this.#publisher,
      gateway: 'gw',
      topicPrefix: 'p',
    });
    await sender.start();
    this.#parts = { store, aggregator, sender };
  }

  async #stop(): Promise<void> {
    const parts = this.#parts;
    this.#parts = undefined;
    if (parts === undefined) return;
    const state = { isStopped: false };
    const stopped = parts.sender
      .stop()
      .then(() => parts.store.drain())
      .then(() => parts.aggregator.stop())
      .then(() => parts.store.stop())
      .finally(() => {
        state.isStopped = true;
      });
    // Some of it waits for a commit.
    while (!state.isStopped) await this.#clock.jump(1000);
    await stopped;
  }

  async #away(progress: (text: string) => void): Promise<void> {
    const { days, commitSeconds, restartEvery = 0 } = this.#options;
    const steps = Math.round((days * DAY_MS) / (commitSeconds * 1000));
    for (let step = 1; step <= steps; step += 1) {
      await this.#step();
      if (restartEvery > 0 && step % restartEvery === 0) {
        await this.#stop();
        await this.#start();
      }
      if (step % Math.max(1, Math.round(steps / 10)) === 0) progress(`${Math.round((100 * step) / steps)} %`);
    }
  }

  /** The data of one commit. */
  async #step(): Promise<void> {
    const fromMs = this.#measuredMs;
    this.#measuredMs = fromMs + this.#options.commitSeconds * 1000;
    await this.#clock.jump(Math.max(0, this.#measuredMs - this.#clock.nowMs()));
    await this.#accept(this.#sensors.measure(fromMs, this.#measuredMs));
  }

  /** While the store is full the clock runs on, as time does, so that room can be made. */
  async #accept(entries: readonly NewEntry[]): Promise<void> {
    const state = { isDone: false };
    const appended = this.#running.store.append(entries, 'now').then(
      () => {
        this.#accepted += entries.length;
        this.oracle.accept(entries);
        state.isDone = true;
      },
      () => {
        this.#refused += entries.length;
        state.isDone = true;
      },
    );
    const startedMs = performance.now();
    while (!state.isDone) {
      await new Promise<void>((resolve) => void setImmediate(resolve));
      if (performance.now() - startedMs > 100) await this.#clock.jump(1);
      if (performance.now() - startedMs > NOBODY_CAME_MS) throw new Error('the store takes nothing any more');
    }
    await appended;
  }

  async #drain(progress: (text: string) => void): Promise<void> {
    progress('the broker is back');
    this.#publisher.become(true);
    const { store, sender } = this.#running;
    const isDrained = async (): Promise<boolean> => {
      const [state] = await store.listStreams();
      return (
        state !== undefined &&
        state.backlog.length === 0 &&
        state.liveFrom >= store.head() &&
        sender.status().unacknowledged === 0
      );
    };
    const startedMs = performance.now();
    for (let turn = 0; turn % 20 !== 0 || !(await isDrained()); turn += 1) {
      if (turn < STEPS_WHILE_DRAINING) await this.#step();
      else await this.#clock.jump(100);
      this.#publisher.published.length = 0;
      if (performance.now() - startedMs > 10 * NOBODY_CAME_MS) throw new Error('the stream does not drain');
    }
  }

  #receive({ payload }: Published): void {
    const { records } = JSON.parse(inflateSync(payload).toString()) as { readonly records: readonly Body[] };
    for (const record of records) this.oracle.receive(record);
  }
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** An outage of some days under a quota, and its end. */
export const runOutage = (
  options: OutageOptions,
  progress: (text: string) => void = () => undefined,
): Promise<OutageResult> => new Outage(options).run(progress);
