/**
 * How far a block has come: `committed` as the commits made it, `sealed` merged with its neighbours without loss, then thinned to one
 * record a minute, a quarter of an hour, an hour, and at last `gone`: what was computed from the samples is left, and the count of what was dropped.
 */
export const LEVEL = { committed: 0, sealed: 1, minute: 2, quarter: 3, hour: 4, gone: 5 } as const;
export type Level = (typeof LEVEL)[keyof typeof LEVEL];

/** The levels that lose resolution, in this order; the window of each, null where no record of the samples is left. */
export const THINNING: readonly { readonly level: Level; readonly periodMs: number | null }[] = [
  { level: LEVEL.minute, periodMs: 60_000 },
  { level: LEVEL.quarter, periodMs: 900_000 },
  { level: LEVEL.hour, periodMs: 3_600_000 },
  { level: LEVEL.gone, periodMs: null },
];
