import * as fc from 'fast-check';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GapRecord } from '../../src/model/record.ts';
import { entry, sample } from './records.ts';
import { DEVICES, FLOWS, PLACES, fill, snapshot } from './salvage-fixture.ts';
import { StoreFixture, all } from './store-fixture.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const COMMITS = 64;
const TRIALS = Number(process.env['SALVAGE_TRIALS'] ?? 150);
const MAX_OPEN_MS = 30_000;

const fault = fc.record({
  file: fc.constantFrom('cigale.db', 'cigale.db-wal'),
  kind: fc.constantFrom('flip', 'flip', 'zero page', 'truncate'),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  bit: fc.nat(7),
});

/** The files of a store as a power cut leaves them: a part in the file, the rest in the write-ahead log. */
async function original(): Promise<{ dataDir: string; epoch: string }> {
  const fixture = await StoreFixture.create('sqlite3');
  await fill(await fixture.open(), COMMITS);
  const closed = await temporaryDirectory();
  await snapshot(fixture.dataDir, closed);
  // Opened and closed once, all that was written stands in the file; then some more goes to the log.
  const second = new StoreFixture(closed, 'sqlite3');
  const store = await second.reopen(await second.open());
  for (let index = COMMITS * 10; index < COMMITS * 10 + 100; index += 1) await store.append([entry(index)], 'now');
  const dataDir = await temporaryDirectory();
  await snapshot(closed, dataDir);
  return { dataDir, epoch: store.epoch };
}

interface Damage {
  readonly file: string;
  readonly kind: string;
  readonly at: number;
  readonly bit: number;
}

async function harm(dataDir: string, { file, kind, at, bit }: Damage): Promise<void> {
  const path = join(dataDir, file);
  const bytes = await readFile(path);
  const place = Math.floor(at * bytes.length);
  if (kind === 'truncate') return truncate(path, place);
  if (kind === 'flip') bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
  else bytes.fill(0, place - (place % 1024), Math.min(bytes.length, place - (place % 1024) + 1024));
  await writeFile(path, bytes);
}

const entryTime = (index: number): number => sample(index).receivedAt;

describe('a store damaged anywhere', () => {
  it('opens, gives no wrong record, and goes on under another epoch whenever it is not what it was', async () => {
    const { dataDir, epoch } = await original();
    const written = COMMITS * 10 + 100;
    const seen = { salvaged: 0, whole: 0, registryWhole: 0, slowestMs: 0, lost: 0 };
    await fc.assert(
      fc.asyncProperty(fault, async (damage) => {
        const directory = await temporaryDirectory();
        await snapshot(dataDir, directory);
        await harm(directory, damage);
        const fixture = new StoreFixture(directory, 'sqlite3');
        await fixture.clock.advance(1000);
        const startedMs = performance.now();
        const store = await fixture.open();
        const openMs = performance.now() - startedMs;
        const entries = await all(store, { kind: 'sample' });
        for (const { id, record } of entries) expect(record).toEqual(entry(id - 1).record);
        const next = await store.append([entry(written + 1)], 'now');
        expect(entries.some(({ id }) => id === next[0]?.id)).toBe(false);
        expect(openMs).toBeLessThan(MAX_OPEN_MS);
        const { salvage } = await store.status();
        // An empty file without a log is a new store.
        const gaps = (await all(store, { kind: 'gap' })).map(({ record }) => record as GapRecord);
        const there = new Set(entries.map(({ id }) => id - 1));
        const isDeclared = (at: number): boolean => gaps.some(({ from, to }) => at >= from && at <= to);
        const expected =
          (await store.lostSince()) === undefined ? Array.from({ length: written }, (_, index) => index) : [];
        expect(expected.filter((index) => !there.has(index) && !isDeclared(entryTime(index)))).toEqual([]);
        const isNew = salvage === null && entries.length === 0;
        expect(salvage === null && !isNew).toBe(store.epoch === epoch);
        const places = await store.places();
        for (const { version } of await store.flowVersions(10)) {
          const flow = await store.flow(version);
          expect([undefined, ...FLOWS]).toContain(flow?.json);
        }
        seen.salvaged += salvage === null ? 0 : 1;
        seen.whole += entries.length === written ? 1 : 0;
        seen.lost += written - entries.length;
        seen.registryWhole +=
          places.length === PLACES.length && (await store.devices()).length === DEVICES.length ? 1 : 0;
        seen.slowestMs = Math.max(seen.slowestMs, openMs);
        await store.stop();
      }),
      { numRuns: TRIALS, endOnFailure: true },
    );
    process.stdout.write(`${JSON.stringify({ trials: TRIALS, ...seen })}\n`);
    expect(seen.salvaged).toBeGreaterThan(0);
  }, 120_000);
});
