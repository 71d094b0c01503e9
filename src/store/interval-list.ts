import type { LogInterval } from './store.ts';

/** Sets of ids as intervals `[from, to)`; an interval without end goes to `Infinity`. */
export type IntervalList = readonly LogInterval[];

export const holdsId = (list: IntervalList, id: number): boolean => list.some(({ from, to }) => id >= from && id < to);

export const overlaps = (list: IntervalList, from: number, to: number): boolean =>
  list.some((interval) => interval.from < to && interval.to > from);

/** What is in `list` and not in `without`. */
export function subtract(list: IntervalList, without: IntervalList): IntervalList {
  let rest = list;
  for (const { from, to } of without) {
    rest = rest.flatMap((interval) =>
      [
        { from: interval.from, to: Math.min(interval.to, from) },
        { from: Math.max(interval.from, to), to: interval.to },
      ].filter((piece) => piece.from < piece.to),
    );
  }
  return rest;
}
