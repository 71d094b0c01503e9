import type { Destination, GapRecord, NewEntry } from '../model/record.ts';
import { type NumberCell, packNumber, unpackNumber } from './columns.ts';

/** A gap as JSON: its place among the entries of the block, place, stream, from, to, cause, count, destinations. */
type GapRow = readonly [
  number,
  string,
  string,
  NumberCell,
  NumberCell,
  GapRecord['cause'],
  NumberCell,
  readonly Destination[],
];

/** Gaps row by row: there are few. */
export type GapColumns = readonly GapRow[];

type GapEntry = NewEntry & { readonly record: GapRecord };

export const isGap = (entry: NewEntry): entry is GapEntry => entry.record.kind === 'gap';

export const packGaps = (entries: readonly NewEntry[]): GapColumns =>
  entries.flatMap((entry, index) => (isGap(entry) ? [gapRow(index, entry)] : []));

/** The entries of a block, from those that are no gaps and the gaps. */
export function insertGaps(others: readonly NewEntry[], gaps: GapColumns | undefined): readonly NewEntry[] {
  if (gaps === undefined) return others;
  const entries: NewEntry[] = [];
  let taken = 0;
  for (const [index, ...row] of gaps) {
    const before = others.slice(taken, taken + index - entries.length);
    entries.push(...before, gapOf(row));
    taken += before.length;
  }
  entries.push(...others.slice(taken));
  return entries;
}

const gapRow = (index: number, { record, to }: GapEntry): GapRow => [
  index,
  record.place,
  record.stream,
  packNumber(record.from),
  packNumber(record.to),
  record.cause,
  packNumber(record.count),
  to,
];

type RowAfterIndex = GapRow extends readonly [number, ...infer Rest] ? Rest : never;

function gapOf([place, stream, from, until, cause, count, to]: RowAfterIndex): NewEntry {
  return {
    record: {
      kind: 'gap',
      place,
      stream,
      from: Number(from),
      to: Number(until),
      cause,
      count: unpackNumber(count),
    },
    to,
  };
}
