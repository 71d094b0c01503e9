import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { DataRecord, LogEntry, NewEntry } from '../model/record.ts';
import { type AggregateColumns, packAggregates, unpackAggregates } from './aggregate-columns.ts';
import { LEVEL, type Level } from './block-level.ts';
import { type NumberColumn, packDeltas, unpackDeltas } from './columns.ts';
import { type GapColumns, insertGaps, isGap, packGaps } from './gap-columns.ts';
import { type SampleColumns, packSamples, unpackSamples } from './sample-columns.ts';

/** Entries of one block at most: a reader decodes whole blocks, and a bad one is lost whole. */
export const MAX_BLOCK_ENTRIES = 4096;

/** A row of the table `log`: entries of consecutive ids that were committed together, or were merged or thinned since. */
export interface Block {
  readonly firstId: number;
  /** Ids that it covers; a thinned block holds fewer entries. */
  readonly count: number;
  /** Smallest and greatest instant (`instantOf`) in it. */
  readonly minAt: number;
  readonly maxAt: number;
  /** Over the other columns too: a flipped bit anywhere in the row is found. */
  readonly crc: number;
  /** One byte of layout (low half: plain or compressed, high half: the level), then the columns as JSON. */
  readonly data: Uint8Array;
}

/** The instant by which a record is found: when a sample was observed, when a window or a gap began. */
export function instantOf(record: DataRecord): number {
  if (record.kind === 'sample') return record.observedAt;
  return record.kind === 'aggregate' ? record.start : record.from;
}

const PLAIN = 1;
const DEFLATED = 2;
/** Shorter texts do not get smaller. */
const MIN_DEFLATED_BYTES = 128;
/** A block decodes to about 50 bytes an entry; what claims more than this is damaged. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;

interface Columns {
  readonly samples: SampleColumns | null;
  readonly aggregates: AggregateColumns | null;
  /** Lengths of the runs of samples and aggregates in turn, samples first: the order of the entries. */
  readonly runs: readonly number[];
  /** Gaps, each with its place among the entries; absent where there are none. */
  readonly gaps?: GapColumns;
  /** Ids of the entries, from the block's first; absent where none is left out. */
  readonly ids?: NumberColumn;
}

/** Of a commit: little work, as each second has one. */
const COMMITTED_DEFLATE = { level: 3, memLevel: 7, windowBits: 13 };
/** Of a block that is written once for years. */
const SEALED_DEFLATE = { level: 9, memLevel: 9, windowBits: 15 };

export const encodeBlock = (firstId: number, entries: readonly NewEntry[]): Block =>
  encode({ firstId, count: entries.length }, entries, columnsOf(entries), LEVEL.committed);

/** Entries of a span of ids, some of which may be left out, as one block. */
export function encodeSealedBlock(
  span: { readonly firstId: number; readonly count: number },
  entries: readonly LogEntry[],
  level: Level,
): Block {
  const columns = columnsOf(entries);
  const isWhole = entries.length === span.count;
  const ids = isWhole ? {} : { ids: packDeltas(entries.map(({ id }) => id - span.firstId)) };
  return encode(span, entries, { ...columns, ...ids }, level);
}

function encode(
  { firstId, count }: { readonly firstId: number; readonly count: number },
  entries: readonly NewEntry[],
  columns: Columns,
  level: Level,
): Block {
  const text = Buffer.from(JSON.stringify(columns), 'utf8');
  const isDeflated = text.length >= MIN_DEFLATED_BYTES;
  const options = level === LEVEL.committed ? COMMITTED_DEFLATE : SEALED_DEFLATE;
  const body = isDeflated ? deflateRawSync(text, options) : text;
  const data = Buffer.concat([Buffer.of((level << 4) | (isDeflated ? DEFLATED : PLAIN)), body]);
  const head = { firstId, count, ...extremes(entries), data };
  return { ...head, crc: checksum(head) };
}

/** The level that the first byte of a block's data says. */
export const levelOf = (layout: number): Level => Math.min(layout >> 4, LEVEL.gone) as Level;

/** The entries, or undefined when the block is damaged: then nothing in it may be believed. */
export function decodeBlock(block: Block): readonly LogEntry[] | undefined {
  const layout = (block.data[0] ?? 0) & 0x0f;
  if (!isBlockWhole(block) || (layout !== PLAIN && layout !== DEFLATED)) return undefined;
  const body = block.data.subarray(1);
  const text = layout === DEFLATED ? inflateRawSync(body, { maxOutputLength: MAX_TEXT_BYTES }) : body;
  const columns = JSON.parse(Buffer.from(text).toString('utf8')) as Columns;
  const entries = insertGaps(inOrder(columns), columns.gaps);
  const ids = columns.ids === undefined ? undefined : unpackDeltas(columns.ids);
  return entries.map(({ record, to }, index) => ({ id: block.firstId + (ids?.[index] ?? index), record, to }));
}

/** Whether the block is as it was written. */
export const isBlockWhole = (block: Block): boolean => checksum(block) === block.crc;

const checksum = ({ firstId, count, minAt, maxAt, data }: Omit<Block, 'crc'>): number =>
  crc32(data, crc32(`${firstId} ${count} ${minAt} ${maxAt}`));

function extremes(entries: readonly NewEntry[]): { minAt: number; maxAt: number } {
  let minAt = Number.MAX_SAFE_INTEGER;
  let maxAt = Number.MIN_SAFE_INTEGER;
  for (const { record } of entries) {
    const at = instantOf(record);
    if (at < minAt) minAt = at;
    if (at > maxAt) maxAt = at;
  }
  return { minAt: Math.floor(minAt), maxAt: Math.ceil(maxAt) };
}

const isSample = (entry: NewEntry): entry is Parameters<typeof packSamples>[0][number] =>
  entry.record.kind === 'sample';
const isAggregate = (entry: NewEntry): entry is Parameters<typeof packAggregates>[0][number] =>
  entry.record.kind === 'aggregate';

function columnsOf(entries: readonly NewEntry[]): Columns {
  const samples = entries.filter(isSample);
  if (samples.length === entries.length)
    return { samples: packSamples(samples), aggregates: null, runs: [samples.length] };
  const aggregates = entries.filter(isAggregate);
  return {
    samples: samples.length === 0 ? null : packSamples(samples),
    aggregates: aggregates.length === 0 ? null : packAggregates(aggregates),
    runs: runsOf(entries),
    ...(samples.length + aggregates.length === entries.length ? {} : { gaps: packGaps(entries) }),
  };
}

function runsOf(entries: readonly NewEntry[]): number[] {
  const runs = [0];
  let kind: DataRecord['kind'] = 'sample';
  for (const entry of entries) {
    if (isGap(entry)) continue;
    const { record } = entry;
    if (record.kind !== kind) {
      kind = record.kind;
      runs.push(0);
    }
    runs[runs.length - 1] = (runs.at(-1) ?? 0) + 1;
  }
  return runs;
}

function inOrder({ samples, aggregates, runs }: Columns): NewEntry[] {
  const lanes = [
    samples === null ? [] : unpackSamples(samples),
    aggregates === null ? [] : unpackAggregates(aggregates),
  ] as const;
  const taken: [number, number] = [0, 0];
  return runs.flatMap((length, run) => {
    const lane = run % 2 === 0 ? 0 : 1;
    const from = taken[lane];
    taken[lane] += length;
    return lanes[lane].slice(from, from + length);
  });
}
