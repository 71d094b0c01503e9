import { createHash } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { Batch } from '../../src/model/batch.ts';
import type { LogEntry } from '../../src/model/record.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import type { DriverName } from '../../src/store/driver.ts';
import { openStore } from '../../src/store/sqlite-store.ts';
import type { LogRange, Store } from '../../src/store/store.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A store on a real file with a clock that the test moves. */
export class StoreFixture {
  readonly clock = new ManualClock();
  readonly log = memoryLog();
  readonly metrics = new Metrics();
  readonly dataDir: string;
  readonly driver: DriverName;

  constructor(dataDir: string, driver: DriverName) {
    this.dataDir = dataDir;
    this.driver = driver;
  }

  static async create(driver: DriverName): Promise<StoreFixture> {
    return new StoreFixture(await temporaryDirectory(), driver);
  }

  async open(): Promise<Store> {
    const { clock, log, metrics, dataDir, driver } = this;
    const store = await openStore({ dataDir, clock, log, metrics, driver, random: () => 0.5 });
    onTestFinished(() => store.stop());
    await store.start();
    return store;
  }

  async reopen(store: Store): Promise<Store> {
    await store.stop();
    return this.open();
  }
}

export async function all(
  store: Pick<Store, 'readRange'>,
  range: Partial<LogRange> = {},
): Promise<readonly LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const page of store.readRange({ fromMs: 0, toMs: 9e15, ...range })) entries.push(...page);
  return entries;
}

export const ids = (entries: readonly LogEntry[]): readonly number[] => entries.map(({ id }) => id);

export const batch = (seq: number, change: Partial<Batch> = {}): Batch => {
  const body = new TextEncoder().encode(`{"seq":${seq}}`);
  return {
    stream: 'ville',
    epoch: 'E',
    seq,
    lane: 'live',
    createdAt: 1000 + seq,
    recordCount: 10,
    sha256: createHash('sha256').update(body).digest('hex'),
    encoding: 'identity',
    body,
    ...change,
  };
};
