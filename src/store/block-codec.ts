import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { DataRecord, LogEntry, NewEntry } from '../model/record.ts';
import { type AggregateColumns, packAggregates, unpackAggregates } from './aggregate-columns.ts';
import { type GapColumns, insertGaps, isGap, packGaps } from './gap-columns.ts';
import { type SampleColumns, packSamples, unpackSamples } from './sample-columns.ts';

/** Entries of one block at most: a reader decodes whole blocks, and a bad one is lost whole. */
export const MAX_BLOCK_ENTRIES = 4096;

/** A row of the table `log`: consecutive entries that were committed together. */
export interface Block {
  readonly firstId: number;
  readonly count: number;
  /** Smallest and greatest instant (`instantOf`) in it. */
  readonly minAt: number;
  readonly maxAt: number;
  /** Over the other columns too: a flipped bit anywhere in the row is found. */
  readonly crc: number;
  /** One byte of layout, then the columns as JSON, plain or compressed. */
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
}

export function encodeBlock(firstId: number, entries: readonly NewEntry[]): Block {
  const text = Buffer.from(JSON.stringify(columnsOf(entries)), 'utf8');
  const isDeflated = text.length >= MIN_DEFLATED_BYTES;
  const body = isDeflated ? deflateRawSync(text, { level: 3, memLevel: 7, windowBits: 13 }) : text;
  const data = Buffer.concat([Buffer.of(isDeflated ? DEFLATED : PLAIN), body]);
  const head = { firstId, count: entries.length, ...extremes(entries), data };
  return { ...head, crc: checksum(head) };
}

/** The entries, or undefined when the block is damaged: then nothing in it may be believed. */
export function decodeBlock(block: Block): readonly LogEntry[] | undefined {
  const layout = block.data[0];
  if (!isBlockWhole(block) || (layout !== PLAIN && layout !== DEFLATED)) return undefined;
  const body = block.data.subarray(1);
  const text = layout === DEFLATED ? inflateRawSync(body, { maxOutputLength: MAX_TEXT_BYTES }) : body;
  const columns = JSON.parse(Buffer.from(text).toString('utf8')) as Columns;
  const entries = insertGaps(inOrder(columns), columns.gaps);
  return entries.map(({ record, to }, index) => ({ id: block.firstId + index, record, to }));
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
