import { describe, expect, it } from 'vitest';
import { contributionOf } from '../../src/aggregate/contribution.ts';
import { countOfFingerprint, SeriesWindow } from '../../src/aggregate/series-window.ts';
import type { RuleSettings } from '../../src/model/plan.ts';
import { findQuantity } from '../../src/model/quantity.ts';
import type { Aggregate, Sample } from '../../src/model/record.ts';
import {
  bicycles,
  countRule,
  heatRule,
  HOUR,
  MINUTE,
  noiseRule,
  sample,
  seconds,
  temperature,
  TEN,
} from './records.ts';

function windowOf(rule: RuleSettings, samples: readonly Sample[], quantityId = samples[0]?.quantity): SeriesWindow {
  const quantity = findQuantity(quantityId ?? 'LAeq')!;
  const window = new SeriesWindow(rule, { place: 'place-a', channel: '', quantity }, rule.periodsMs[0]!, TEN);
  for (const one of samples) window.add(contributionOf(one, quantity));
  return window;
}
const aggregateOf = (rule: RuleSettings, samples: readonly Sample[]): Aggregate => windowOf(rule, samples).aggregate(0);
const full = Array.from({ length: 60 }, () => 60);

describe('an aggregate', () => {
  it('has the names and members that receivers rely on', () => {
    expect(aggregateOf(noiseRule(), seconds(TEN, full))).toEqual({
      kind: 'aggregate',
      place: 'place-a',
      channel: '',
      domain: 'noise',
      quantity: 'LAeq',
      periodMs: MINUTE,
      part: '',
      start: TEN,
      end: TEN + MINUTE,
      revision: 0,
      count: 60,
      coverage: 1,
      valid: true,
      flags: [],
      values: { LAeq: expect.closeTo(60, 10), LAeq1sMax: 60, LAeq1sMin: 60, LA10: 60, LA50: 60, LA90: 60 },
      at: { LAeq1sMax: TEN + 1000, LAeq1sMin: TEN + 1000 },
    });
  });

  it('of maxima of the sensor holds their maximum', () => {
    const peaks = seconds(TEN, [80, 99.5, 70], { quantity: 'LCpeak', periodMs: null });
    expect(aggregateOf(noiseRule(), peaks)).toMatchObject({
      quantity: 'LCpeak',
      values: { LCpeak: 99.5 },
      at: { LCpeak: TEN + 2000 },
      coverage: 0.05,
    });
  });

  it('lists each flag of its samples once', () => {
    const flags = aggregateOf(heatRule({ minCoverage: 0 }), [
      temperature(TEN, 70, { quality: 'suspect', flags: ['out-of-range'] }),
      temperature(TEN + MINUTE, 71, { quality: 'suspect', flags: ['out-of-range', 'clock-estimated'] }),
    ]).flags;
    expect(flags).toEqual(['out-of-range', 'clock-estimated']);
  });

  it('says "late" from its first revision on', () => {
    expect(windowOf(noiseRule(), seconds(TEN, full)).aggregate(1)).toMatchObject({ revision: 1, flags: ['late'] });
  });
});

describe('what enters', () => {
  it('is no missing and no bad value', () => {
    const aggregate = aggregateOf(noiseRule(), [
      ...seconds(TEN, full.slice(2)),
      sample({ value: null, flags: ['missing'] }),
      sample({ value: 99, quality: 'bad', flags: ['invalid'] }),
    ]);
    expect(aggregate).toMatchObject({ count: 58, coverage: 58 / 60, flags: ['missing', 'invalid'] });
    expect(aggregate.values['LAeq']).toBeCloseTo(60, 10);
  });

  it.each([0, -3, 140.1, Number.NaN])('is no level of %s dB: that is a fault of the line', (value) => {
    const aggregate = aggregateOf(noiseRule(), [...seconds(TEN, full.slice(1)), sample({ value, quality: 'suspect' })]);
    expect(aggregate.count).toBe(59);
    expect(aggregate.flags).toHaveLength(1);
    expect(aggregate.values['LAeq1sMin']).toBe(60);
  });

  it('is a suspect temperature, with its flag', () => {
    const aggregate = aggregateOf(heatRule(), [temperature(TEN, 61, { quality: 'suspect', flags: ['out-of-range'] })]);
    expect(aggregate).toMatchObject({ count: 1, values: { mean: 61 }, flags: ['out-of-range', 'low-coverage'] });
  });

  it('is a count of zero, but no negative count', () => {
    const counts = [bicycles(TEN + 15 * MINUTE, 0), bicycles(TEN + 30 * MINUTE, -4, { quality: 'suspect' })];
    expect(aggregateOf(countRule(), counts)).toMatchObject({ count: 1, values: { sum: 0 }, coverage: 0.25 });
  });

  it('leaves null where nothing was counted', () => {
    const counts = [bicycles(TEN + 15 * MINUTE, null, { flags: ['missing'] })];
    expect(aggregateOf(countRule(), counts)).toMatchObject({
      count: 0,
      values: { sum: null },
      coverage: 0,
      valid: false,
      flags: ['missing', 'low-coverage'],
    });
  });
});

describe('coverage', () => {
  it('of levels is the sum of their averaging times', () => {
    expect(aggregateOf(noiseRule(), seconds(TEN, full.slice(0, 45)))).toMatchObject({ coverage: 0.75, valid: true });
    expect(aggregateOf(noiseRule(), seconds(TEN, full.slice(0, 44)))).toMatchObject({
      valid: false,
      flags: ['low-coverage'],
    });
  });

  it('of levels without averaging time comes from the spacing of the series', () => {
    const levels = seconds(TEN, [60, 60], { periodMs: null, intervalMs: 10_000 });
    expect(aggregateOf(noiseRule(), levels).coverage).toBeCloseTo(20 / 60, 12);
  });

  it('of temperatures and counts is their number times the spacing, at most 1', () => {
    const readings = [0, 1, 2, 3].map((index) => temperature(TEN + index, 20, { intervalMs: 5 * MINUTE }));
    expect(aggregateOf(heatRule(), readings.slice(0, 2)).coverage).toBeCloseTo(2 / 3, 12);
    expect(aggregateOf(heatRule(), readings).coverage).toBe(1);
    expect(aggregateOf(countRule(), [bicycles(TEN + HOUR, 3)]).coverage).toBe(0.25);
  });

  it('is null, and the aggregate valid, where nobody knows the spacing', () => {
    expect(aggregateOf(heatRule(), [temperature(TEN, 20, { intervalMs: null })])).toMatchObject({
      coverage: null,
      valid: true,
      flags: ['coverage-unknown'],
    });
  });
});

describe('the fingerprint', () => {
  const samples = seconds(TEN, [60, 61, 62]);

  it('is equal for equal contents and differs when a sample more entered', () => {
    const print = windowOf(noiseRule(), samples).fingerprint();
    expect(windowOf(noiseRule(), samples).fingerprint()).toBe(print);
    expect(windowOf(noiseRule(), [...samples, sample({ value: 1 })]).fingerprint()).not.toBe(print);
    expect(countOfFingerprint(print)).toBe(3);
  });

  it('sees a flag, a moved instant, another coverage', () => {
    const prints = [
      windowOf(heatRule(), [temperature(TEN, 20)]),
      windowOf(heatRule(), [temperature(TEN, 20, { flags: ['injected'] })]),
      windowOf(heatRule(), [temperature(TEN + 1, 20)]),
      windowOf(heatRule(), [temperature(TEN, 20, { intervalMs: null })]),
    ].map((window) => window.fingerprint());
    expect(new Set(prints).size).toBe(4);
  });

  it('does not depend on what a rule publishes', () => {
    const print = windowOf(noiseRule(), samples).fingerprint();
    expect(windowOf(noiseRule({ levels: [1, 95], minCoverage: 0 }), samples).fingerprint()).toBe(print);
  });
});
