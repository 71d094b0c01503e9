import { type Combination, findQuantity, isPlausible } from '../model/quantity.ts';
import type { Aggregate, Sample } from '../model/record.ts';

/** `domain` of the aggregates that stand for thinned samples: apart from those of the rules, whose natural keys they must not have. */
export const THINNED_DOMAIN = 'thinned';

/** Weight of a level whose averaging time nobody knows. */
const NOMINAL_MS = 1000;

interface Extreme {
  readonly value: number;
  readonly at: number;
}

/** What the samples of one series and one window come to; mergeable without loss. */
interface Sum {
  readonly count: number;
  /** Of a level: what its averaging times add up to. */
  readonly durationMs: number;
  /** Of a level: Σ t·10^(L/10); else Σ value. */
  readonly total: number;
  readonly min: Extreme | null;
  readonly max: Extreme | null;
  readonly last: Extreme | null;
}

const NOTHING: Sum = { count: 0, durationMs: 0, total: 0, min: null, max: null, last: null };

export const isThinned = (record: Aggregate): boolean =>
  record.domain === THINNED_DOMAIN && record.flags.includes('thinned');

const combinationOf = (quantity: string): Combination => findQuantity(quantity)?.combination ?? 'last';

/** A missing or bad value does not enter, nor one that cannot be (a level of 0 dB is a fault of the line): as in the rules. */
function isEntering({ quantity, value, quality }: Sample): boolean {
  if (value === null || !Number.isFinite(value) || quality === 'bad') return false;
  const known = findQuantity(quantity);
  if (known === undefined || (known.domain !== 'noise' && known.domain !== 'count')) return true;
  return isPlausible(known, value) && !(known.domain === 'noise' && value === 0);
}

function sumOfSample(sample: Sample): Sum {
  const { value } = sample;
  if (value === null || !isEntering(sample)) return NOTHING;
  const isLevel = combinationOf(sample.quantity) === 'energy';
  const durationMs = isLevel ? (sample.periodMs ?? sample.intervalMs ?? NOMINAL_MS) : 0;
  const one = { value, at: sample.observedAt };
  return {
    count: 1,
    durationMs,
    total: isLevel ? durationMs * 10 ** (value / 10) : value,
    min: one,
    max: one,
    last: one,
  };
}

const picked = (
  a: Extreme | null,
  b: Extreme | null,
  isBetter: (a: Extreme, b: Extreme) => boolean,
): Extreme | null => {
  if (a === null || b === null) return a ?? b;
  return isBetter(b, a) ? b : a;
};

const merged = (a: Sum, b: Sum): Sum => ({
  count: a.count + b.count,
  durationMs: a.durationMs + b.durationMs,
  total: a.total + b.total,
  min: picked(a.min, b.min, (one, other) => one.value < other.value),
  max: picked(a.max, b.max, (one, other) => one.value > other.value),
  last: picked(a.last, b.last, (one, other) => one.at >= other.at),
});

type Values = Pick<Aggregate, 'values' | 'at'>;

/** How the sums of a quantity stand in a record, and are read from one again. */
interface Form {
  write(sum: Sum, quantity: string): Values;
  read(record: Aggregate): Partial<Sum>;
}

const extremeOf = ({ values, at, end }: Aggregate, name: string): Extreme | null => {
  const value = values[name] ?? null;
  return value === null ? null : { value, at: at[name] ?? end };
};

function named(extremes: Readonly<Record<string, Extreme | null>>): Values {
  const known = Object.entries(extremes);
  return {
    values: Object.fromEntries(known.map(([name, extreme]) => [name, extreme?.value ?? null])),
    at: Object.fromEntries(known.flatMap(([name, extreme]) => (extreme === null ? [] : [[name, extreme.at]]))),
  };
}

const FORMS: Readonly<Record<Combination, Form>> = {
  energy: {
    write: ({ durationMs, total, min, max }, quantity) => {
      const { values, at } = named({ [`${quantity}Max`]: max, [`${quantity}Min`]: min });
      const level = durationMs === 0 ? null : 10 * Math.log10(total / durationMs);
      return { values: { [quantity]: level, ...values, duration: durationMs / 1000 }, at };
    },
    read: (record) => {
      const durationMs = (record.values['duration'] ?? 0) * 1000;
      return {
        durationMs,
        total: durationMs * 10 ** ((record.values[record.quantity] ?? 0) / 10),
        min: extremeOf(record, `${record.quantity}Min`),
        max: extremeOf(record, `${record.quantity}Max`),
      };
    },
  },
  mean: {
    write: ({ count, total, min, max }) => {
      const { values, at } = named({ min, max });
      return { values: { mean: count === 0 ? null : total / count, ...values }, at };
    },
    read: (record) => ({
      total: (record.values['mean'] ?? 0) * record.count,
      min: extremeOf(record, 'min'),
      max: extremeOf(record, 'max'),
    }),
  },
  sum: {
    write: ({ count, total }) => ({ values: { sum: count === 0 ? null : total }, at: {} }),
    read: ({ values }) => ({ total: values['sum'] ?? 0 }),
  },
  max: {
    write: ({ max }, quantity) => named({ [quantity]: max }),
    read: (record) => ({ max: extremeOf(record, record.quantity) }),
  },
  last: {
    write: ({ last, min, max }) => named({ last, min, max }),
    read: (record) => ({
      last: extremeOf(record, 'last'),
      min: extremeOf(record, 'min'),
      max: extremeOf(record, 'max'),
    }),
  },
};

interface Outcome extends Pick<Aggregate, 'count' | 'values' | 'at'> {
  /** Covered time; null where the values cover none. */
  readonly durationMs: number | null;
}

/** Count, values and instants of a record that stands for all of `records`, which are of one series. Missing is null, never 0. */
export function combined(quantity: string, records: readonly (Sample | Aggregate)[]): Outcome {
  const form = FORMS[combinationOf(quantity)];
  const sum = records
    .map((record) =>
      record.kind === 'sample' ? sumOfSample(record) : { ...NOTHING, count: record.count, ...form.read(record) },
    )
    .reduce(merged, NOTHING);
  return {
    count: sum.count,
    durationMs: sum.durationMs === 0 ? null : sum.durationMs,
    ...form.write(sum, quantity),
  };
}
