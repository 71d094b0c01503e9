import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Aggregator } from '../../src/aggregate/aggregator.ts';
import type { Aggregate, LogEntry } from '../../src/model/record.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { openStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { processView } from './gateway.ts';
import { heatRule, HOUR, MINUTE, noiseRule, seconds, sentTo, temperature, TEN } from './records.ts';

const RULES = [noiseRule({ periodsMs: [MINUTE, HOUR] }), heatRule({ periodsMs: [HOUR] })];
const level = Array.from({ length: 180 }, (_, index) => 50 + (index % 37) / 10);

let dataDir: string;
let store: Store;
let clock: ManualClock;

const open = async (): Promise<void> => {
  store = await openStore({
    dataDir,
    clock: systemClock,
    log: memoryLog(),
    metrics: new Metrics(),
    random: Math.random,
  });
  store.setCommitInterval(20);
  await store.start();
};

/** An aggregator as one process has it; `kill` cuts it off in whatever it does. */
async function follow(): Promise<{ aggregator: Aggregator; kill: () => void }> {
  const view = processView(store);
  const aggregator = new Aggregator({ store: view, clock, log: memoryLog(), metrics: new Metrics() });
  aggregator.setRules(RULES, () => ['stream:ville']);
  await aggregator.start();
  return { aggregator, kill: () => view.kill() };
}

async function aggregates(): Promise<Aggregate[]> {
  const entries: LogEntry[] = [];
  for (let from = 1; from < store.head(); from = (entries.at(-1)?.id ?? from) + 1) {
    entries.push(...(await store.read(from, 10_000)));
  }
  return entries.map(({ record }) => record).filter((record) => record.kind === 'aggregate');
}

/** Moves the clock second by second until the aggregates are as many. */
async function untilWritten(count: number): Promise<Aggregate[]> {
  const deadlineMs = Date.now() + 15_000;
  for (;;) {
    const written = await aggregates();
    if (written.length >= count || Date.now() > deadlineMs) return written;
    await clock.advance(1000);
  }
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'cigale-aggregate-'));
  clock = new ManualClock(TEN);
  await open();
});

afterEach(async () => {
  await store.stop();
  await rm(dataDir, { recursive: true });
});

describe('on the store itself', () => {
  it('windows are written once over kills and reopening, and late samples revise them', async () => {
    const samples = seconds(TEN, level);
    let running = await follow();
    await store.append(sentTo(samples.slice(0, 100), 'rule:n1'));
    running.kill();
    running = await follow();
    await store.append(sentTo([...samples.slice(100, 170), temperature(TEN, 21.5)], 'rule:n1', 'rule:h1'));
    clock.step(4 * MINUTE);
    expect(await untilWritten(3)).toMatchObject([{ count: 60 }, { count: 60 }, { count: 50 }]);

    running.kill();
    await store.stop();
    await open();
    running = await follow();
    await store.append(sentTo(samples.slice(170), 'rule:n1'));
    const revised = await untilWritten(4);
    expect(revised.slice(3)).toMatchObject([{ start: TEN + 2 * MINUTE, revision: 1, count: 60, flags: ['late'] }]);

    clock.step(2 * HOUR);
    const all = await untilWritten(6);
    expect(all.slice(4).toSorted((a, b) => a.domain.localeCompare(b.domain))).toMatchObject([
      { domain: 'heat', values: { mean: 21.5 }, revision: 0 },
      { domain: 'noise', periodMs: HOUR, count: 180, revision: 0 },
    ]);
    running.kill();
    running = await follow();
    await clock.advance(HOUR);
    await running.aggregator.stop();
    expect(await aggregates()).toHaveLength(6);
  });
});
