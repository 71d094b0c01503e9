import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { readInventory } from '../../src/store/registry/inventory.ts';
import { openStore } from '../../src/store/sqlite-store.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { CITY_HEADER, cityRows, imported } from './registry-inventory.ts';

describe.each(['sqlite3', 'node:sqlite'] as const)('the registry of a whole store on %s', (driver) => {
  it('takes a city of 1300 sensors in one change and has it after a restart', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'registry-'));
    const open = async () => {
      const parts = { clock: systemClock, log: memoryLog(), metrics: new Metrics(), random: () => 0.5 };
      const store = await openStore({ dataDir, driver, ...parts });
      await store.start();
      return store;
    };
    const before = imported([CITY_HEADER, ...cityRows(1300)].join('\n'));
    const first = await open();
    await first.applyRegistry(before);
    await first.stop();
    const second = await open();
    const after = await readInventory(second);
    expect(await second.sessions()).toHaveLength(1300);
    await second.stop();
    const sorted = before.devices.toSorted((a, b) => (a.device.id < b.device.id ? -1 : 1));
    expect(after.devices).toEqual(sorted);
    expect(after.places).toHaveLength(1300);
    expect(after.assignments).toHaveLength(1300);
    await rm(dataDir, { recursive: true });
  });
});
