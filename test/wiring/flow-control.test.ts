import { describe, expect, it, onTestFinished } from 'vitest';
import type { Plan } from '../../src/model/plan.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { openStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { FlowControl } from '../../src/wiring/flow-control.ts';
import { LiveHub } from '../../src/wiring/live.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { flowOf, send, serial } from '../flow/flow-builder.ts';
import { temporaryDirectory } from '../store/temporary-directory.ts';

describe('the stored flow', () => {
  it('runs, and the start goes on, although a full disk does not take the plan that is remembered for the next start', async () => {
    const deps = { clock: systemClock, log: memoryLog(), metrics: new Metrics(), random: Math.random };
    const store = await openStore({ ...deps, dataDir: await temporaryDirectory() });
    onTestFinished(() => store.stop());
    await store.saveFlow(JSON.stringify(flowOf(serial(), send())), 'test', '', 0);
    const never = new Promise<void>(() => {});
    const full = Object.create(store, { saveCompiledPlan: { value: () => never } }) as Store;
    const plans: Plan[] = [];
    const flow = new FlowControl({
      store: full,
      live: new LiveHub(),
      env: {},
      run: async (plan) => void plans.push(plan),
      deps,
    });
    await flow.runStored();
    expect(plans).toHaveLength(1);
    expect(flow.runningVersion).toBe(1);
  });
});
