import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { contributionOf } from '../../src/aggregate/contribution.ts';
import { MeanAccumulator } from '../../src/aggregate/heat/mean-accumulator.ts';
import { LevelAccumulator } from '../../src/aggregate/noise/level-accumulator.ts';
import { SeriesWindow } from '../../src/aggregate/series-window.ts';
import { windowStart } from '../../src/aggregate/windows.ts';
import type { RuleSettings } from '../../src/model/plan.ts';
import { findQuantity } from '../../src/model/quantity.ts';
import type { Aggregate, Sample } from '../../src/model/record.ts';
import { countRule, heatRule, HOUR, noiseRule, sample } from '../aggregate/records.ts';
import { referenceFile } from '../reference-data.ts';

const DAY = 24 * HOUR;

const results: { what: string; stated: number; got: number; deviation: number; tolerance: number }[] = [];

/** Notes a result for the table at the end; whether it lies within the tolerance. */
function within(what: string, got: number | null | undefined, stated: number, tolerance: number): boolean {
  const value = got ?? Number.NaN;
  const deviation = Math.abs(value - stated);
  results.push({ what, stated, got: Number(value.toFixed(6)), deviation: Number(deviation.toPrecision(2)), tolerance });
  return deviation <= tolerance;
}

afterAll(() => {
  const rows = results.map(({ what, stated, got, deviation, tolerance }) =>
    [what.padEnd(44), ...[stated, got, deviation, tolerance].map((number) => String(number).padStart(14))].join(''),
  );
  const head = ['reference'.padEnd(44), ...['stated', 'here', 'deviation', 'tolerance'].map((one) => one.padStart(14))];
  process.stdout.write(`${head.join('')}\n${rows.join('\n')}\n`);
});

const text = (file: string | null): string => readFileSync(file ?? '', 'utf8');
const rowsOf = (file: string | null): Record<string, string>[] => {
  const [head = [], ...rows] = text(file)
    .replaceAll('"', '')
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(','));
  return rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index] ?? ''])));
};

/** The aggregates of all windows of that length which the samples fall into, in order of time. */
function aggregatesOf(rule: RuleSettings, periodMs: number, samples: readonly Sample[]): Aggregate[] {
  const windows = new Map<number, SeriesWindow>();
  for (const one of samples) {
    const start = windowStart(one, periodMs);
    const { place, channel, quantity: id } = one;
    const quantity = findQuantity(id)!;
    let window = windows.get(start);
    if (window === undefined) {
      window = new SeriesWindow(rule, { place, channel, quantity }, periodMs, start);
      windows.set(start, window);
    }
    window.add(contributionOf(one, quantity));
  }
  return [...windows.values()].toSorted((a, b) => a.start - b.start).map((window) => window.aggregate(0));
}

const levelsOf = (values: readonly number[], durationsMs: readonly number[] = []): LevelAccumulator => {
  const accumulator = new LevelAccumulator('LAeq', []);
  for (const [index, value] of values.entries()) {
    const durationMs = durationsMs[index] ?? 1000;
    accumulator.add({ value, observedAt: 0, periodMs: durationMs, durationMs });
  }
  return accumulator;
};
const exposure = (level: LevelAccumulator): number =>
  (level.equivalentLevel ?? Number.NaN) + 10 * Math.log10(level.timeMs / 1000);

const worked = referenceFile('noise', 'noise-worked-examples.json');
const ptfa = referenceFile('noise', 'noise-openoise-PTFA-laeq1s.csv');
const cirrus = referenceFile('noise', 'noise-cirrus-2000ms.csv');
const track = referenceFile('noise', 'noise-noisecapture-f720018a.csv');
const minutes = referenceFile('noise', 'noise-noisemonitor-laeq1m-11days.csv');
const counts = referenceFile('count', 'counts-etalab-eco-compteur-20210915.csv');
const berlin = referenceFile('heat', 'heat-berlin-2019-JJA.csv');
const berlinExpected = referenceFile('heat', 'heat-berlin-expected.json');

describe.skipIf(worked === null)('worked examples of levels (python-acoustics, openoise)', () => {
  interface Case {
    id: string;
    levels_dB: number[];
    durations_hms: string[];
    leq_dB: number;
    t_s: number;
    expect_dB: number;
    tol: number;
  }
  const { cases } = (worked === null ? { cases: [] } : JSON.parse(text(worked))) as { cases: Case[] };
  const find = (id: string): Case => cases.find((one) => one.id === id)!;

  it('energetic mean of six levels', () => {
    const { levels_dB, expect_dB, tol } = find('leq-6');
    expect(within('LAeq of six levels', levelsOf(levels_dB).equivalentLevel, expect_dB, tol)).toBe(true);
  });

  it('sound exposure level, from the state of LAeq', () => {
    const six = find('sel-6x1s');
    expect(within('SEL of six seconds', exposure(levelsOf(six.levels_dB)), six.expect_dB, six.tol)).toBe(true);
    const long = find('sel-938');
    const level = levelsOf([long.leq_dB], [long.t_s * 1000]);
    expect(within('SEL of 938 s', exposure(level), long.expect_dB, long.tol)).toBe(true);
  });

  it('mean over unequal durations', () => {
    const { levels_dB, durations_hms, expect_dB, tol } = find('wavg-hms');
    const durationsMs = durations_hms.map((hms) => {
      const [hours = 0, mins = 0, secs = 0] = hms.split(':').map(Number);
      return ((hours * 60 + mins) * 60 + secs) * 1000;
    });
    const got = levelsOf(levels_dB, durationsMs).equivalentLevel;
    expect(within('LAeq of 3:22:52 and 8:55:33', got, expect_dB, tol)).toBe(true);
  });
});

describe.skipIf(ptfa === null)('a recording of 1652 levels of one second (openoise PTFA)', () => {
  const samples = (ptfa === null ? [] : rowsOf(ptfa)).map(({ date = '', LAeq_1s }) =>
    sample({ value: Number(LAeq_1s), observedAt: Date.parse(`${date.replace(' ', 'T')}Z`) }),
  );
  const percents = [1, 5, 10, 50, 90, 95, 99];
  const [whole] = aggregatesOf(noiseRule({ levels: percents }), DAY, samples);

  it('has the published LAeq', () => {
    expect(within('PTFA LAeq', whole?.values['LAeq'], 45.7, 0.05)).toBe(true);
  });

  it.each([
    [1, 53.747, 0.25],
    [5, 48.6, 0.1],
    [10, 47.2, 0.1],
    [50, 44.4, 0.1],
    [90, 43.1, 0.1],
    [95, 43, 0.1],
    [99, 42.7, 0.25],
  ])('has the published LA%s', (percent, stated, tolerance) => {
    expect(within(`PTFA LA${percent}`, whole?.values[`LA${percent}`], stated, tolerance)).toBe(true);
  });

  it('is the same, merged from its minutes or shuffled', () => {
    const fill = (parts: readonly Sample[]): LevelAccumulator => {
      const accumulator = new LevelAccumulator('LAeq', percents);
      for (const one of parts) accumulator.add(contributionOf(one, findQuantity('LAeq')!).entering!);
      return accumulator;
    };
    const merged = new LevelAccumulator('LAeq', percents);
    for (let index = 0; index < samples.length; index += 60) merged.merge(fill(samples.slice(index, index + 60)));
    const shuffled = fill(
      samples.toSorted((a, b) => ((a.observedAt * 7919) % 104_729) - ((b.observedAt * 7919) % 104_729)),
    );
    const direct = fill(samples);
    expect({ ...merged.outcome().values, LAeq: 0 }).toEqual({ ...direct.outcome().values, LAeq: 0 });
    for (const [name, other] of [
      ['minutes merged', merged],
      ['shuffled', shuffled],
    ] as const) {
      const relative = other.equivalentLevel! / direct.equivalentLevel!;
      expect(within(`PTFA LAeq, ${name} / direct`, relative, 1, 4e-14)).toBe(true);
    }
  });
});

describe.skipIf(cirrus === null)('a sound level meter and its own totals (Cirrus, 2014-08-19)', () => {
  const column = (name: string, quantity: string): Sample[] =>
    (cirrus === null ? [] : rowsOf(cirrus)).map((row) =>
      sample({
        quantity,
        value: Number(row[name]),
        periodMs: 2000,
        observedAt: Date.parse(`2014-08-19T${row['Time']}Z`) + 2000,
      }),
    );
  const total = (name: string, quantity: string): number | null | undefined =>
    aggregatesOf(noiseRule(), HOUR, column(name, quantity))[0]?.values[quantity];

  it('agree', () => {
    expect(within('Cirrus LAeq', total('LAeq', 'LAeq'), 35.37, 0.02)).toBe(true);
    expect(within('Cirrus LCeq', total('LCeq', 'LAeq'), 42.18, 0.02)).toBe(true);
    expect(within('Cirrus LZeq', total('LZeq', 'LAeq'), 64.83, 0.02)).toBe(true);
    expect(within('Cirrus LAFmax', total('LAFMax', 'LAFmax'), 44.66, 0.02)).toBe(true);
    expect(within('Cirrus LCpeak', total('LCPeak', 'LCpeak'), 66.15, 0.02)).toBe(true);
  });
});

it.skipIf(track === null)('gives the mean that NoiseCapture states for a track', () => {
  const samples = rowsOf(track).map(({ utc_ms, leq_1s_dBA }) =>
    sample({ value: Number(leq_1s_dBA), observedAt: Number(utc_ms) }),
  );
  const [whole] = aggregatesOf(noiseRule(), DAY, samples);
  expect(samples).toHaveLength(438);
  expect(within('NoiseCapture track LAeq', whole?.values['LAeq'], 71.26, 0.005)).toBe(true);
});

describe.skipIf(minutes === null)('eleven days of minute levels (noisemonitor, Montreal)', () => {
  const samples = (minutes === null ? [] : rowsOf(minutes)).map((row) =>
    sample({
      value: Number(row['LEQ dB -A']),
      periodMs: 60_000,
      observedAt: Date.parse(`${row['datetime']?.replace(' ', 'T')}Z`),
    }),
  );

  /** Type 7 of Hyndman and Fan, as R and numpy have it. */
  const quantile = (ascending: readonly number[], share: number): number => {
    const rank = (ascending.length - 1) * share;
    const below = ascending[Math.floor(rank)]!;
    return below + (rank - Math.floor(rank)) * (ascending[Math.ceil(rank)]! - below);
  };

  it('have the LN of an interpolating estimator within the width of the classes', () => {
    const percents = [5, 10, 50, 90, 95];
    const accumulator = new LevelAccumulator('LAeq', percents);
    for (const { value } of samples) {
      accumulator.add({ value: value!, observedAt: 0, periodMs: 60_000, durationMs: 60_000 });
    }
    const ascending = samples.map(({ value }) => value!).toSorted((a, b) => a - b);
    for (const percent of percents) {
      const stated = Number(quantile(ascending, 1 - percent / 100).toFixed(4));
      const got = accumulator.outcome().values[`LA${percent}`];
      expect(within(`11 days, LA${percent} (type 7)`, got, stated, 0.1)).toBe(true);
    }
  });

  it('have hours that merge to the energy of the days', () => {
    const days = aggregatesOf(noiseRule(), DAY, samples);
    const hours = aggregatesOf(noiseRule(), HOUR, samples);
    const worst = days.map((day) => {
      const own = hours.filter(({ start }) => start >= day.start && start < day.end);
      const total = own.reduce((sum, { count }) => sum + count, 0);
      const energy = own.reduce((sum, { values, count }) => sum + count * 10 ** (values['LAeq']! / 10), 0);
      return Math.abs((10 * Math.log10(energy / total)) / day.values['LAeq']! - 1);
    });
    expect(within('11 days, LAeq of days / from hours, worst', 1 + Math.max(...worst), 1, 4e-14)).toBe(true);
  });
});

it.skipIf(counts === null)('adds up the counts of a day (etalab, Eco-Compteur)', () => {
  const samples = rowsOf(counts).map((row) =>
    sample({
      quantity: 'bicycleCount',
      channel: row['channel_id'] ?? '',
      value: row['count'] === '' ? null : Number(row['count']),
      observedAt: Date.parse((row['end_datetime'] ?? '').replace('+02', '+02:00')),
      periodMs: HOUR,
      intervalMs: HOUR,
    }),
  );
  const channels = Map.groupBy(samples, ({ channel }) => channel);
  expect([...channels.values()].map((one) => one.length)).toEqual([24, 24, 24, 24, 24]);
  for (const [channel, own] of channels) {
    const stated = own.reduce((sum, { value }) => sum + value!, 0);
    const hours = aggregatesOf(countRule(), HOUR, own);
    expect(hours.map(({ values }) => values['sum'])).toEqual(own.map(({ value }) => value));
    expect(hours.every(({ coverage, valid }) => coverage === 1 && valid)).toBe(true);
    const quarters = aggregatesOf(countRule(), DAY / 4, own);
    const got = quarters.reduce((sum, { values }) => sum + values['sum']!, 0);
    expect(within(`bicycles of the day, channel ${channel}`, got, stated, 0)).toBe(true);
  }
});

it.skipIf(berlin === null || berlinExpected === null)('has the summer of four stations in Berlin, day by day', () => {
  interface Station {
    'TN>=20': number;
    'TX>=30': number;
    'TX>=35': number;
    mean: number;
  }
  const stations = (JSON.parse(text(berlinExpected)) as { '2019-JJA': Record<string, Station> })['2019-JJA'];
  const rows = rowsOf(berlin);
  for (const [name, stated] of Object.entries(stations)) {
    const samples = rows
      .filter(({ station, air_temp_C }) => station === name && air_temp_C !== '')
      .map((row) =>
        sample({
          quantity: 'airTemperature',
          value: Number(row['air_temp_C']),
          observedAt: Date.parse(row['time_labelled_utc'] ?? ''),
          periodMs: null,
          intervalMs: HOUR,
        }),
      );
    const days = aggregatesOf(heatRule(), DAY, samples);
    const number = (which: 'min' | 'max', threshold: number): number =>
      days.filter(({ values }) => values[which]! >= threshold).length;
    const season = new MeanAccumulator();
    for (const day of Map.groupBy(samples, (one) => windowStart(one, DAY)).values()) {
      const part = new MeanAccumulator();
      for (const one of day) part.add(contributionOf(one, findQuantity('airTemperature')!).entering!);
      season.merge(part);
    }
    expect(within(`${name}: mean of the summer`, season.outcome().values['mean'], stated.mean, 5e-5)).toBe(true);
    expect(within(`${name}: nights with TN >= 20`, number('min', 20), stated['TN>=20'], 0)).toBe(true);
    expect(within(`${name}: days with TX >= 30`, number('max', 30), stated['TX>=30'], 0)).toBe(true);
    expect(within(`${name}: days with TX >= 35`, number('max', 35), stated['TX>=35'], 0)).toBe(true);
  }
});
