import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entering, MergeableAccumulator } from '../../src/aggregate/accumulator.ts';
import { SumAccumulator } from '../../src/aggregate/count/sum-accumulator.ts';
import { MeanAccumulator } from '../../src/aggregate/heat/mean-accumulator.ts';
import { LevelAccumulator } from '../../src/aggregate/noise/level-accumulator.ts';
import { PeakAccumulator } from '../../src/aggregate/noise/peak-accumulator.ts';

const entering = (value: number, over: Partial<Entering> = {}): Entering => ({
  value,
  observedAt: 0,
  periodMs: 1000,
  durationMs: 1000,
  ...over,
});

function filled<A extends MergeableAccumulator<A>>(accumulator: A, parts: readonly Entering[]): A {
  for (const part of parts) accumulator.add(part);
  return accumulator;
}

describe('levels', () => {
  it('are averaged as energy over their averaging times', () => {
    const level = filled(new LevelAccumulator('LAeq', []), [
      entering(50, { durationMs: 9000 }),
      entering(60, { durationMs: 1000 }),
    ]);
    expect(level.equivalentLevel).toBeCloseTo(10 * Math.log10((9 * 1e5 + 1e6) / 10), 12);
  });

  it('name their extremes by the averaging time, and carry the instants', () => {
    const { values, at } = filled(new LevelAccumulator('LAeq', [50]), [
      entering(55, { observedAt: 1 }),
      entering(71, { observedAt: 2 }),
      entering(60, { observedAt: 3 }),
    ]).outcome();
    expect(values).toMatchObject({ LAeq1sMax: 71, LAeq1sMin: 55, LA50: 60 });
    expect(at).toEqual({ LAeq1sMax: 2, LAeq1sMin: 1 });
  });

  it.each([
    [125, 'LAeq125msMax'],
    [2000, 'LAeq2sMax'],
    [60_000, 'LAeq1mMax'],
    [3_600_000, 'LAeq1hMax'],
    [null, 'LAeqMax'],
  ])('averaged over %s ms have the maximum %s', (periodMs, name) => {
    expect(filled(new LevelAccumulator('LAeq', []), [entering(60, { periodMs })]).outcome().values).toHaveProperty(
      name,
    );
  });

  it('of mixed averaging times do not name one', () => {
    const parts = [entering(60), entering(61, { periodMs: 1003, durationMs: 1003 }), entering(62)];
    expect(Object.keys(filled(new LevelAccumulator('LAeq', []), parts).outcome().values)).toEqual([
      'LAeq',
      'LAeqMax',
      'LAeqMin',
    ]);
  });

  it('of unknown duration weigh the same', () => {
    const parts = [50, 60].map((value) => entering(value, { periodMs: null, durationMs: null }));
    expect(filled(new LevelAccumulator('LAeq', []), parts).equivalentLevel).toBeCloseTo(57.4036, 4);
  });

  it('give LN by walking down from the loudest class until N % of the time is reached', () => {
    const parts = Array.from({ length: 100 }, (_, index) => entering(40 + index / 10));
    const { values } = filled(new LevelAccumulator('LAeq', [1, 10, 50, 90, 100]), parts).outcome();
    expect(values).toMatchObject({ LA1: 49.9, LA10: 49, LA50: 45, LA90: 41, LA100: 40 });
  });

  it('weigh LN by duration, not by number', () => {
    const parts = [entering(70, { durationMs: 1000 }), entering(50, { durationMs: 9000 })];
    expect(filled(new LevelAccumulator('LAeq', [10, 11]), parts).outcome().values).toMatchObject({
      LA10: 70,
      LA11: 50,
    });
  });

  it('are null, not zero, where nothing was measured', () => {
    expect(new LevelAccumulator('LAeq', [10]).outcome()).toEqual({ values: { LAeq: null, LA10: null }, at: {} });
  });
});

describe('peaks', () => {
  it('keep the maximum with its instant under the name of the quantity', () => {
    const parts = [
      entering(80, { observedAt: 5 }),
      entering(95.5, { observedAt: 6 }),
      entering(95.5, { observedAt: 4 }),
    ];
    expect(filled(new PeakAccumulator('LCpeak'), parts).outcome()).toEqual({
      values: { LCpeak: 95.5 },
      at: { LCpeak: 4 },
    });
    expect(new PeakAccumulator('LAFmax').outcome()).toEqual({ values: { LAFmax: null }, at: {} });
  });
});

describe('means', () => {
  it('have extremes with their instants', () => {
    const parts = [20, 23, 18].map((value, index) => entering(value, { observedAt: index }));
    const { values, at } = filled(new MeanAccumulator(), parts).outcome();
    expect(values['mean']).toBeCloseTo(61 / 3, 12);
    expect(values).toMatchObject({ min: 18, max: 23 });
    expect(at).toEqual({ min: 2, max: 1 });
  });

  it('keep the variance of values far from zero', () => {
    const parts = [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16].map((value) => entering(value));
    expect(filled(new MeanAccumulator(), parts).variance).toBeCloseTo(22.5, 9);
  });

  it('are null where nothing was measured', () => {
    expect(new MeanAccumulator().outcome().values).toEqual({ mean: null, min: null, max: null });
    expect(new MeanAccumulator().variance).toBeNull();
  });
});

describe('sums', () => {
  it('tell nobody passed from not counted', () => {
    expect(filled(new SumAccumulator(), [entering(0)]).outcome().values).toEqual({ sum: 0 });
    expect(new SumAccumulator().outcome().values).toEqual({ sum: null });
  });
});

const parts = fc.array(
  fc.record({
    value: fc.integer({ min: 1, max: 1400 }).map((tenths) => tenths / 10),
    observedAt: fc.integer({ min: 0, max: 50 }),
    periodMs: fc.constantFrom(125, 1000, 2000, null),
    durationMs: fc.constantFrom(125, 1000, 2000, null),
  }),
  { maxLength: 60 },
);

const kinds = {
  level: () => new LevelAccumulator('LAeq', [1, 10, 50, 90, 99]),
  peak: () => new PeakAccumulator('LCpeak'),
  mean: () => new MeanAccumulator(),
  sum: () => new SumAccumulator(),
};

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])('merging states of kind %s', (kind) => {
  // The four kinds share no merge type; each run merges one kind with itself.
  const fresh = kinds[kind] as () => MergeableAccumulator<unknown>;
  const of = (values: readonly Entering[]): MergeableAccumulator<unknown> => {
    const accumulator = fresh();
    for (const value of values) accumulator.add(value);
    return accumulator;
  };
  const merged = (...states: MergeableAccumulator<unknown>[]): MergeableAccumulator<unknown> => {
    const [first, ...rest] = states as [MergeableAccumulator<unknown>];
    for (const state of rest) first.merge(state);
    return first;
  };
  /** Names of what differs; values may by the rounding of sums. */
  const differences = (a: MergeableAccumulator<unknown>, b: MergeableAccumulator<unknown>): string[] => {
    const [one, two] = [a.outcome(), b.outcome()];
    const names = Object.keys({ ...one.values, ...two.values }).filter((name) => {
      const [value, other] = [one.values[name], two.values[name]];
      if (typeof value !== 'number' || typeof other !== 'number') return value !== other;
      return Math.abs(value - other) > 4e-14 * Math.max(1, Math.abs(value)) || one.at[name] !== two.at[name];
    });
    return a.count === b.count ? names : [...names, 'count'];
  };

  it('equals one state that took everything in, however it is cut', () => {
    fc.assert(
      fc.property(parts, fc.nat(60), (values, cut) => {
        expect(differences(merged(of(values.slice(0, cut)), of(values.slice(cut))), of(values))).toEqual([]);
      }),
    );
  });

  it('is associative and commutative', () => {
    fc.assert(
      fc.property(parts, parts, parts, (a, b, c) => {
        const [left, right] = [merged(merged(of(a), of(b)), of(c)), merged(of(a), merged(of(b), of(c)))];
        expect(differences(left, right)).toEqual([]);
        expect(differences(merged(of(a), of(b)), merged(of(b), of(a)))).toEqual([]);
      }),
    );
  });
});
