import process from 'node:process';
import { writeSync } from 'node:fs';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import type { DriverName } from '../../src/store/driver.ts';
import { openStore } from '../../src/store/sqlite-store.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { entry, uplink } from './records.ts';

/** Appends numbered samples and uplinks until it is killed; prints `s INDEX` or `u FCNT` once each is accepted. Arguments: directory, driver, first index. */
const [, , dataDir = '', driver = '', first = '0'] = process.argv;
const store = await openStore({
  dataDir,
  driver: driver as DriverName,
  clock: systemClock,
  log: memoryLog(),
  metrics: new Metrics(),
  random: Math.random,
});
store.setCommitInterval(5);
await store.start();

async function appendSamples(index: number): Promise<void> {
  const indexes = Array.from({ length: 20 }, (_, offset) => index + offset);
  await store.append(indexes.map((one) => entry(one)));
  // At once and unbuffered: what is printed was accepted before.
  writeSync(1, indexes.map((one) => `s ${one}\n`).join(''));
}

async function acceptUplink(fCnt: number): Promise<void> {
  const accepted = await store.acceptUplink(uplink(fCnt), 'now');
  if (accepted === 'duplicate') return;
  writeSync(1, `u ${fCnt}\n`);
}

writeSync(1, 'ready\n');
for (let index = Number(first); ; index += 60) {
  await Promise.all([appendSamples(index), appendSamples(index + 20), acceptUplink(index), appendSamples(index + 40)]);
}
