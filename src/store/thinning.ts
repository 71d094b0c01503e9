import type { Aggregate, Flag, GapRecord, LogEntry, Sample } from '../model/record.ts';
import { THINNED_DOMAIN, combined, isThinned } from './thinned-values.ts';

/** What may lose resolution: samples, and what stands for samples already. */
type Thinnable = LogEntry & { readonly record: Sample | Aggregate };
type ThinningGap = LogEntry & { readonly record: GapRecord };

export interface Thinning {
  /** In id order, each under an id that one of the replaced entries had. */
  readonly entries: readonly LogEntry[];
  /** Samples that were replaced or dropped, all declared by gaps among the entries. */
  readonly samples: number;
}

/**
 * Replaces the samples of a block, and what stands for samples already, by one record for each series and window of `periodMs`;
 * with null they go without a record. A thinned record takes the greatest id of those it stands for, so that it lies after every
 * position that a stream can have among them. What was replaced is declared, once for each place and way in the block, by a gap with
 * the number of samples. `sideOf` tells entries apart that must not become one record: those a stream has sealed and those it has not.
 */
export function thin(
  entries: readonly LogEntry[],
  periodMs: number | null,
  sideOf: (entry: LogEntry) => string,
): Thinning {
  const isMine = (entry: LogEntry): entry is Thinnable => isThinnable(entry, periodMs);
  const groups = Map.groupBy(entries.filter(isMine), (entry) => groupKey(entry, periodMs, sideOf(entry)));
  const kept = entries.filter((entry) => !isMine(entry));
  const replaced: Thinnable[] = [];
  for (const group of groups.values()) {
    // Nothing is won where a record would stand for itself.
    const [only] = group;
    if (periodMs !== null && group.length === 1 && only !== undefined) kept.push(only);
    else {
      replaced.push(...group);
      if (periodMs !== null) kept.push(thinnedEntry(group, periodMs));
    }
  }
  const samples = replaced.filter(({ record }) => record.kind === 'sample').length;
  const declared = declare(kept, replaced, sideOf);
  return { entries: declared.toSorted((a, b) => a.id - b.id), samples };
}

function isThinnable({ record }: LogEntry, periodMs: number | null): boolean {
  if (record.kind === 'sample') return true;
  if (record.kind === 'gap' || !isThinned(record)) return false;
  return periodMs === null || record.periodMs < periodMs;
}

/** A value with an averaging time is observed at its end: the second that ends at 10:01:00.000 belongs to 10:00. */
const insideOf = (record: Sample | Aggregate): number => {
  if (record.kind === 'aggregate') return record.start;
  return record.periodMs === null ? record.observedAt : record.observedAt - 1;
};

const startOf = (record: Sample | Aggregate): number =>
  record.kind === 'aggregate' ? record.start : record.observedAt - (record.periodMs ?? 0);

const endOf = (record: Sample | Aggregate): number => {
  if (record.kind === 'aggregate') return record.end;
  return record.periodMs === null ? record.observedAt + 1 : record.observedAt;
};

function groupKey({ record, to }: Thinnable, periodMs: number | null, side: string): string {
  const window = periodMs === null ? 0 : Math.floor(insideOf(record) / periodMs);
  return [record.place, record.channel, record.quantity, window, side, ...to].join('\u001f');
}

function thinnedEntry(group: readonly Thinnable[], periodMs: number): LogEntry {
  const [first] = group as readonly [Thinnable];
  const records = group.map(({ record }) => record);
  const { place, channel, quantity } = first.record;
  const { count, values, at, durationMs } = combined(quantity, records);
  const record: Aggregate = {
    kind: 'aggregate',
    place,
    channel,
    domain: THINNED_DOMAIN,
    quantity,
    periodMs,
    part: '',
    // Of what it stands for, not of the whole window: the rest of the window may stand in another block, and be another record.
    start: least(records.map(startOf)),
    end: greatest(records.map(endOf)),
    revision: 0,
    count,
    coverage: durationMs === null ? null : Math.min(1, durationMs / periodMs),
    valid: count > 0,
    flags: flagsOf(records),
    values,
    at,
  };
  return { id: greatest(group.map(({ id }) => id)), record, to: first.to };
}

const flagsOf = (records: readonly (Sample | Aggregate)[]): readonly Flag[] => [
  ...new Set<Flag>(['thinned', ...records.flatMap(({ flags }) => flags)]),
];

const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b));
const greatest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b));

const isThinningGap = (entry: LogEntry): entry is ThinningGap =>
  entry.record.kind === 'gap' && entry.record.cause === 'thinned';

/** What is kept, with one gap for each place, way and side that says what it lacks: those of an earlier thinning are part of it. */
function declare(
  kept: readonly LogEntry[],
  replaced: readonly Thinnable[],
  sideOf: (entry: LogEntry) => string,
): LogEntry[] {
  const taken = new Set(kept.map(({ id }) => id));
  const wayOf = (entry: LogEntry): string => [entry.record.place, sideOf(entry), ...entry.to].join('\u001f');
  const gaps = Map.groupBy([...kept.filter(isThinningGap), ...replaced], wayOf);
  const declared = [...gaps.values()].map((lost) => {
    if (lost.every((entry) => entry.record.kind !== 'sample') && lost.some(isThinningGap))
      return lost.filter(isThinningGap);
    return [gapOf(lost, taken)];
  });
  return [...kept.filter((entry) => !isThinningGap(entry)), ...declared.flat()];
}

/** `lost`: gaps, samples and thinned records of one place and way; the last were counted when they were made. */
function gapOf(lost: readonly LogEntry[], taken: ReadonlySet<number>): LogEntry {
  const [first] = lost as readonly [LogEntry];
  const spans = lost.map(({ record }) =>
    record.kind === 'gap'
      ? record
      : { from: startOf(record), to: endOf(record), count: record.kind === 'sample' ? 1 : 0 },
  );
  const gap = lost.find(isThinningGap);
  const free = lost.filter(({ id }) => !taken.has(id)).map(({ id }) => id);
  const record: GapRecord = {
    kind: 'gap',
    place: first.record.place,
    stream: '',
    from: least(spans.map(({ from }) => from)),
    to: greatest(spans.map(({ to }) => to)),
    cause: 'thinned',
    count: spans.reduce((sum, { count }) => sum + (count ?? 0), 0),
  };
  return { id: gap?.id ?? greatest(free), record, to: first.to };
}
