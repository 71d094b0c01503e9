import type { Aggregate, Destination, NewEntry } from '../model/record.ts';
import {
  Dictionary,
  type NumberCell,
  type NumberColumn,
  isSameList,
  packDeltas,
  packNumber,
  unpackDeltas,
  unpackNumber,
} from './columns.ts';

/** A shape as JSON: place, channel, domain, quantity, period, part, flags, valid, names of the values, names of the instants, destinations. */
type ShapeRow = readonly [
  string,
  string,
  string,
  string,
  NumberCell,
  string,
  Aggregate['flags'],
  boolean,
  readonly string[],
  readonly string[],
  readonly Destination[],
];

/** Aggregates by column: what is constant for a series of windows once, then the numbers of each. */
export interface AggregateColumns {
  readonly shapes: readonly ShapeRow[];
  /** Place in `shapes`, one per aggregate. */
  readonly shape: readonly number[];
  readonly start: NumberColumn;
  readonly end: NumberColumn;
  readonly revision: NumberColumn;
  readonly count: NumberColumn;
  readonly coverage: readonly NumberCell[];
  /** Values in the order of the shape's names, aggregate after aggregate. */
  readonly values: readonly NumberCell[];
  /** Instants in the order of the shape's names, aggregate after aggregate. */
  readonly at: NumberColumn;
}

type AggregateEntry = NewEntry & { readonly record: Aggregate };

interface Shape {
  readonly entry: AggregateEntry;
  readonly values: readonly string[];
  readonly at: readonly string[];
}

export function packAggregates(entries: readonly AggregateEntry[]): AggregateColumns {
  const shapes = new Dictionary<Shape>(isSameShape);
  const shaped = entries.map((entry) => ({
    entry,
    values: Object.keys(entry.record.values),
    at: Object.keys(entry.record.at),
  }));
  const shape = shaped.map((item) => {
    const { place, channel, quantity, periodMs } = item.entry.record;
    return shapes.placeOf(`${place}\u001f${channel}\u001f${quantity}\u001f${periodMs}`, item, (kept) => kept);
  });
  return {
    shapes: shapes.values.map(shapeRow),
    shape,
    start: packDeltas(entries.map(({ record }) => record.start)),
    end: packDeltas(entries.map(({ record }) => record.end)),
    revision: packDeltas(entries.map(({ record }) => record.revision)),
    count: packDeltas(entries.map(({ record }) => record.count)),
    coverage: entries.map(({ record }) => packNumber(record.coverage)),
    values: entries.flatMap(({ record }) => Object.values(record.values).map(packNumber)),
    at: packDeltas(entries.flatMap(({ record }) => Object.values(record.at))),
  };
}

export function unpackAggregates(columns: AggregateColumns): NewEntry[] {
  const numbers = {
    start: unpackDeltas(columns.start),
    end: unpackDeltas(columns.end),
    revision: unpackDeltas(columns.revision),
    count: unpackDeltas(columns.count),
  };
  const values = columns.values.map(unpackNumber).values();
  const at = unpackDeltas(columns.at).values();
  return columns.shape.map((place, index) => {
    const row = columns.shapes[place] as ShapeRow;
    const [site, channel, domain, quantity, periodMs, part, flags, valid, valueNames, atNames, to] = row;
    const record: Aggregate = {
      kind: 'aggregate',
      place: site,
      channel,
      domain,
      quantity,
      periodMs: Number(periodMs),
      part,
      start: numbers.start[index] as number,
      end: numbers.end[index] as number,
      revision: numbers.revision[index] as number,
      count: numbers.count[index] as number,
      coverage: unpackNumber(columns.coverage[index] ?? null),
      valid,
      flags,
      values: Object.fromEntries(valueNames.map((name) => [name, values.next().value ?? null])),
      at: Object.fromEntries(atNames.map((name) => [name, at.next().value as number])),
    };
    return { record, to };
  });
}

function isSameShape(a: Shape, b: Shape): boolean {
  const left = a.entry.record;
  const right = b.entry.record;
  return (
    left.place === right.place &&
    left.channel === right.channel &&
    left.domain === right.domain &&
    left.quantity === right.quantity &&
    Object.is(left.periodMs, right.periodMs) &&
    left.part === right.part &&
    left.valid === right.valid &&
    isSameList(left.flags, right.flags) &&
    isSameList(a.values, b.values) &&
    isSameList(a.at, b.at) &&
    isSameList(a.entry.to, b.entry.to)
  );
}

const shapeRow = ({ entry: { record, to }, values, at }: Shape): ShapeRow => [
  record.place,
  record.channel,
  record.domain,
  record.quantity,
  packNumber(record.periodMs),
  record.part,
  record.flags,
  record.valid,
  values,
  at,
  to,
];
