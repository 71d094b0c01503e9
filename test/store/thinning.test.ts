import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import type { Aggregate, GapRecord, LogEntry, Sample } from '../../src/model/record.ts';
import { thin } from '../../src/store/thinning.ts';
import { aggregate, sample } from './records.ts';

const HOUR = 3_600_000;
const T0 = 1_780_002_000_000;
const ONE_SIDE = (): string => '';

const entryOf = (id: number, change: Partial<Sample> = {}): LogEntry => ({
  id,
  record: sample(0, { observedAt: T0 + id * 1000, ...change }),
  to: ['stream:ville', 'rule:n1'],
});

const thinnedOf = (entries: readonly LogEntry[]): Aggregate[] =>
  entries.flatMap(({ record }) => (record.kind === 'aggregate' ? [record] : []));
const gapsOf = (entries: readonly LogEntry[]): GapRecord[] =>
  entries.flatMap(({ record }) => (record.kind === 'gap' ? [record] : []));
const samplesOf = (entries: readonly LogEntry[]): Sample[] =>
  entries.flatMap(({ record }) => (record.kind === 'sample' ? [record] : []));
const levels = Array.from({ length: 60 }, (_, index) => 50 + ((index * 7) % 31) / 2);
const minute = levels.map((value, index) => entryOf(index + 1, { value }));
const energy = 10 * Math.log10(levels.reduce((sum, level) => sum + 10 ** (level / 10), 0) / levels.length);

describe('thinning', () => {
  it('makes one record of a minute of levels: energy over duration, extremes, their instants, the count', () => {
    const { entries, samples } = thin(minute, 60_000, ONE_SIDE);
    expect(samples).toBe(60);
    const [record] = thinnedOf(entries);
    expect(record).toMatchObject({
      domain: 'thinned',
      quantity: 'LAeq',
      periodMs: 60_000,
      start: T0,
      end: T0 + 60_000,
      count: 60,
      coverage: 1,
      flags: ['thinned'],
      at: { LAeqMin: T0 + 1000 },
    });
    expect(record?.values['LAeq']).toBeCloseTo(energy, 9);
    expect(record?.values).toMatchObject({ LAeqMin: 50, LAeqMax: 65, duration: 60 });
  });

  it('gives the thinned record the last id of its samples, and says what is missing under another of theirs', () => {
    const { entries } = thin(minute, 60_000, ONE_SIDE);
    expect(entries.map(({ id }) => id)).toEqual([59, 60]);
    expect(gapsOf(entries)).toEqual([
      { kind: 'gap', place: 'place-mairie', stream: '', from: T0, to: T0 + 60_000, cause: 'thinned', count: 60 },
    ]);
    for (const { to } of entries) expect(to).toEqual(['stream:ville', 'rule:n1']);
  });

  it('loses no energy and counts no sample twice, whatever steps lead to the hour', () => {
    const hour = Array.from({ length: 3600 }, (_, index) => entryOf(index + 1, { value: 40 + (index % 173) / 5 }));
    const atOnce = thin(hour, HOUR, ONE_SIDE).entries;
    const steps = [60_000, 900_000, HOUR].reduce(
      (entries, periodMs) => thin(entries, periodMs, ONE_SIDE).entries,
      hour as readonly LogEntry[],
    );
    for (const entries of [atOnce, steps]) {
      expect(entries).toHaveLength(2);
      expect(gapsOf(entries)[0]?.count).toBe(3600);
      expect(thinnedOf(entries)[0]).toMatchObject({ count: 3600, periodMs: HOUR });
    }
    const [one, other] = [atOnce, steps].map((entries) => thinnedOf(entries)[0]?.values ?? {});
    expect(one?.['LAeq']).toBeCloseTo(other?.['LAeq'] ?? Number.NaN, 9);
    expect({ ...one, LAeq: 0 }).toEqual({ ...other, LAeq: 0 });
  });

  it('adds counts, averages temperatures, keeps the greatest peak and the last state', () => {
    const make = (quantity: string, values: readonly number[]): Aggregate | undefined => {
      const entries = values.map((value, index) =>
        entryOf(index + 1, { quantity, value, periodMs: null, observedAt: T0 + index * 1000 }),
      );
      const once = thin(entries.slice(0, 2), 60_000, ONE_SIDE).entries;
      return thinnedOf(thin([...once, ...entries.slice(2)], HOUR, ONE_SIDE).entries)[0];
    };
    expect(make('pedestrianCount', [3, 0, 4])).toMatchObject({ count: 3, values: { sum: 7 } });
    expect(make('airTemperature', [20, 22, 27])).toMatchObject({ count: 3, values: { mean: 23, min: 20, max: 27 } });
    expect(make('LCpeak', [80, 99, 70])).toMatchObject({ values: { LCpeak: 99 }, at: { LCpeak: T0 + 1000 } });
    expect(make('battery', [90, 70, 80])).toMatchObject({ values: { last: 80, min: 70, max: 90 } });
  });

  it('counts values that are missing, bad or cannot be among what was dropped, and not among what was measured', () => {
    const entries = [
      entryOf(1, { value: null, flags: ['missing'] }),
      entryOf(2, { value: 99, quality: 'bad' }),
      entryOf(3, { value: 0 }),
      entryOf(4, { value: 60 }),
    ];
    const { entries: left } = thin(entries, 60_000, ONE_SIDE);
    expect(thinnedOf(left)[0]).toMatchObject({
      count: 1,
      flags: ['thinned', 'missing'],
      values: { LAeq: 60, duration: 1 },
    });
    expect(gapsOf(left)[0]?.count).toBe(4);
    const [none] = thinnedOf(thin(entries.slice(0, 2), 60_000, ONE_SIDE).entries);
    expect(none).toMatchObject({ count: 0, valid: false, values: { LAeq: null } });
  });

  it('leaves alone what a window holds once, what rules computed, and gaps of other causes', () => {
    const computed: LogEntry = { id: 2, record: aggregate(T0), to: ['stream:ville'] };
    const off: GapRecord = {
      kind: 'gap',
      place: '',
      stream: '',
      from: T0,
      to: T0 + 1,
      cause: 'gateway-off',
      count: null,
    };
    const entries = [entryOf(1), computed, { id: 3, record: off, to: [] }, entryOf(4, { place: 'place-gare' })];
    expect(thin(entries, HOUR, ONE_SIDE)).toEqual({ entries, samples: 0 });
    const gone = thin(entries, null, ONE_SIDE);
    expect(samplesOf(gone.entries)).toEqual([]);
    expect(gone.entries).toContainEqual(computed);
    expect(
      gapsOf(gone.entries)
        .filter(({ cause }) => cause === 'thinned')
        .map(({ count }) => count),
    ).toEqual([1, 1]);
  });

  it('never makes one record of samples that a stream has sealed and samples that it has not', () => {
    const { entries } = thin(minute, 60_000, ({ id }) => (id <= 20 ? '' : 'ville'));
    expect(thinnedOf(entries).map(({ count }) => count)).toEqual([20, 40]);
    expect(entries.filter(({ id }) => id > 20).map(({ record }) => record.kind)).toEqual(['gap', 'aggregate']);
    expect(gapsOf(entries).map(({ count }) => count)).toEqual([20, 40]);
  });

  it('declares each sample that is not there any more exactly once, in each order of steps', () => {
    const anySamples = fc.array(
      fc.record({
        place: fc.constantFrom('a', 'b'),
        quantity: fc.constantFrom('LAeq', 'pedestrianCount', 'airTemperature'),
        at: fc.integer({ min: 0, max: 7200 }),
        value: fc.option(fc.integer({ min: 1, max: 90 })),
      }),
      { minLength: 1, maxLength: 60 },
    );
    const anySteps = fc.subarray<number | null>([60_000, 900_000, HOUR, null]);
    fc.assert(
      fc.property(anySamples, anySteps, fc.nat(60), (given, steps, sealedTo) => {
        const entries = given.map(({ at, ...change }, index) =>
          entryOf(index + 1, { ...change, observedAt: T0 + at * 1000 }),
        );
        const side = ({ id }: LogEntry): string => (id < sealedTo ? '' : 'ville');
        const left = steps.reduce((now, periodMs) => thin(now, periodMs, side).entries, entries as readonly LogEntry[]);
        const declared = gapsOf(left).reduce((sum, { count }) => sum + (count ?? 0), 0);
        expect(samplesOf(left).length + declared).toBe(given.length);
        expect(new Set(left.map(({ id }) => id)).size).toBe(left.length);
        expect(left.map(({ id }) => id)).toEqual(left.map(({ id }) => id).toSorted((a, b) => a - b));
        for (const { id } of left) expect(id >= 1 && id <= given.length).toBe(true);
        const unsealed = left.filter(({ id }) => id >= sealedTo);
        const told = gapsOf(unsealed).reduce((sum, { count }) => sum + (count ?? 0), 0);
        expect(samplesOf(unsealed).length + told).toBe(entries.filter(({ id }) => id >= sealedTo).length);
      }),
    );
  });
});
