import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Sample } from '../../src/model/record.ts';
import { DRIVER_NAMES, type DriverName } from '../../src/store/driver.ts';
import { StoreFixture, all } from './store-fixture.ts';
import { sample } from './records.ts';

const CHILD = fileURLToPath(new URL('./kill-child.ts', import.meta.url));
const TRIALS = 10;

interface Accepted {
  readonly samples: number[];
  readonly uplinks: number[];
}

/** Lets a writer run for some output beyond its start, kills it, and gives what it had called accepted. */
async function writeAndKill(dataDir: string, driver: DriverName, first: number, lines: number): Promise<Accepted> {
  const child = spawn(process.execPath, [CHILD, dataDir, driver, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout) {
    output += String(chunk);
    if (output.split('\n').length > lines) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  const whole = output.slice(0, output.lastIndexOf('\n') + 1).split('\n');
  const numbers = (kind: string): number[] =>
    whole.filter((line) => line.startsWith(kind)).map((line) => Number(line.slice(2)));
  return { samples: numbers('s '), uplinks: numbers('u ') };
}

const indexOf = (record: Sample): number => (record.observedAt - sample(0).observedAt) / 1000;

describe.each(DRIVER_NAMES)('a gateway killed at any moment, on %s', (driver) => {
  it('has every sample and uplink that it had called accepted, once, under rising numbers', async () => {
    const fixture = await StoreFixture.create(driver);
    const seed = Date.now();
    let state = seed;
    const samples: number[] = [];
    const uplinks: number[] = [];
    for (let trial = 0; trial < TRIALS; trial += 1) {
      state = (state * 48_271) % 2_147_483_647;
      const accepted = await writeAndKill(fixture.dataDir, driver, trial * 1_000_000, 1 + (state % 900));
      samples.push(...accepted.samples);
      uplinks.push(...accepted.uplinks);
    }
    const store = await fixture.open();
    const entries = await all(store);
    const kept = new Set(entries.map(({ record }) => indexOf(record as Sample)));
    const undecoded = await store.undecodedUplinks();
    const keptUplinks = new Set(undecoded.map(({ fCnt }) => fCnt));
    const note = `seed ${seed}`;
    expect(samples.length, note).toBeGreaterThan(TRIALS);
    expect(
      samples.filter((index) => !kept.has(index)),
      note,
    ).toEqual([]);
    expect(
      uplinks.filter((fCnt) => !keptUplinks.has(fCnt)),
      note,
    ).toEqual([]);
    expect([kept.size, keptUplinks.size], note).toEqual([entries.length, undecoded.length]);
    expect(
      entries.map(({ id }) => id),
      note,
    ).toEqual(entries.map((_, index) => index + 1));
  }, 60_000);
});
