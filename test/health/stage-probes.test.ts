import { expect, describe, it, onTestFinished } from 'vitest';
import type { Probe } from '../../src/health/watchdog.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { openStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { LiveHub } from '../../src/wiring/live.ts';
import { PlanRunner } from '../../src/wiring/plan-runner.ts';
import { stageProbes } from '../../src/wiring/stage-probes.ts';
import { temporaryFolder } from '../e2e/running-gateway.ts';
import { ManualClock, settle } from '../fakes/manual-clock.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { broker, gateway, planOf, port, rule, send, serial } from '../flow/flow-builder.ts';

const ROUND_MS = 20_000;
const MINUTE = 60_000;

/** A plan with a broker and a serial port that are not there, on a clock of the test; `wrap` makes the store misbehave. */
async function running(wrap: (store: Store) => Store = (store) => store) {
  const { path: dataDir, remove } = await temporaryFolder();
  const clock = new ManualClock();
  const metrics = new Metrics();
  const deps = { clock, log: memoryLog(), metrics, random: () => 0 };
  const real = await openStore({ dataDir, ...deps });
  const store = wrap(real);
  const runner = new PlanRunner(store, new LiveHub(), deps);
  onTestFinished(async () => {
    const stopped = Promise.all([runner.stop(), real.stop()]);
    await clock.advance(MINUTE);
    await stopped;
    await remove();
  });
  const parts = [gateway(), broker({ url: 'mqtt://127.0.0.1:9' }), port({ path: '/dev/cigale-absent' })];
  const plan = planOf([...parts, serial({ wires: [['send', 'noise'], []] }), rule('noise'), send()]);
  await runner.start();
  await runner.apply(plan, {});
  const probes = stageProbes(store, runner, deps);
  /** Names of those that were not content in any round of that time. */
  const stalledWithin = async (ms: number): Promise<readonly string[]> => {
    const names = new Set<string>();
    for (let passedMs = 0; passedMs < ms; passedMs += ROUND_MS) {
      await clock.advance(ROUND_MS);
      for (const one of stalled(probes, clock.monotonicMs())) names.add(one);
      // Answers come in the order of the calls: once this one is there, the probe's is too.
      await real.status();
      await settle();
    }
    return [...names];
  };
  return { stalledWithin, metrics, store, runner };
}

const stalled = (probes: readonly Probe[], nowMs: number): readonly string[] =>
  probes.filter((probe) => !probe.isProgressing(nowMs)).map(({ name }) => name);

describe('the probes of a running plan', () => {
  it('are content while the broker and the port are away, however long', async () => {
    const { stalledWithin } = await running();
    expect(await stalledWithin(30 * MINUTE)).toEqual([]);
  });

  it('find a store that does not answer', async () => {
    const silent: Store['status'] = () => new Promise(() => undefined);
    const { stalledWithin } = await running((store) => overlay(store, { status: silent }));
    expect(await stalledWithin(4 * MINUTE)).toEqual([]);
    expect(await stalledWithin(3 * MINUTE)).toEqual(['store']);
  });

  it('find writes that nobody commits, and none where the disk refuses and is tried again', async () => {
    const pending: Store['status'] = () =>
      Promise.resolve({
        driver: 'sqlite3',
        sqliteVersion: '',
        epoch: '',
        bytes: 0,
        limitBytes: null,
        records: 0,
        space: null,
        pendingEntries: 3,
        fault: null,
      });
    // A commit that hangs holds up every other write too.
    const saveAliveAt: Store['saveAliveAt'] = () => Promise.resolve();
    const { stalledWithin, metrics } = await running((store) => overlay(store, { status: pending, saveAliveAt }));
    const refuse = (): void => metrics.count('cigale_store_commit_failures_total', '', { code: 'STORE_FULL' });
    for (let round = 0; round < 10; round += 1) {
      refuse();
      expect(await stalledWithin(2 * MINUTE)).toEqual([]);
    }
    expect(await stalledWithin(7 * MINUTE)).toEqual(['store']);
  });

  it('find an aggregation that leaves committed entries lying', async () => {
    const { stalledWithin, store } = await running((real) => overlay(real, { head: () => 1000 }));
    expect(store.head()).toBe(1000);
    expect(await stalledWithin(7 * MINUTE)).toEqual(['aggregation']);
  });
});

function overlay(store: Store, changes: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(name in changes ? changes : target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
