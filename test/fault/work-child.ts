/**
 * Does one kind of the store's own work on a directory and ends: `node test/fault/work-child.ts KIND DIR`. `create`: a new store
 * with one record. `migrate`: a step from its newest version to one that does not exist yet. `retain`: deletes all that may be
 * deleted a month from now.
 */
import { join } from 'node:path';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { MIGRATIONS, migrate } from '../../src/store/migrations.ts';
import { driverFromEnvironment, openDriver } from '../../src/store/open-driver.ts';
import { openStore } from '../../src/store/sqlite-store.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { entry } from '../store/records.ts';
import { NEXT_MIGRATION } from './work-state.ts';

const [, , kind = '', dataDir = ''] = process.argv;
const MONTH_MS = 30 * 86_400_000;
const HOUR_MS = 3_600_000;
const deps = { log: memoryLog(), metrics: new Metrics(), random: Math.random };

if (kind === 'create') {
  const store = await openStore({ dataDir, clock: systemClock, ...deps });
  await store.append([entry(0)], 'now');
  await store.stop();
} else if (kind === 'migrate') {
  const path = join(dataDir, 'cigale.db');
  const driver = await openDriver({ path, driver: driverFromEnvironment(process.env), log: deps.log });
  await migrate(driver, [...MIGRATIONS, NEXT_MIGRATION]);
  await driver.close();
} else if (kind === 'retain') {
  const clock = new ManualClock(Date.now() + MONTH_MS);
  const store = await openStore({ dataDir, clock, ...deps });
  await store.start();
  await store.pruneAcknowledged(clock.nowMs());
  await clock.advance(HOUR_MS);
  await store.stop();
} else throw new Error(`no work "${kind}"`);
