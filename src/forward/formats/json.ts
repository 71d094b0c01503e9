import type { Aggregate, GapRecord, LogEntry, Sample } from '../../model/record.ts';
import { isoDuration, rfc3339 } from '../../runtime/duration.ts';

/** What a body says before its records; `docs/schema/batch.schema.json`. */
export interface BatchHead {
  readonly gateway: string;
  readonly stream: string;
  readonly epoch: string;
  readonly seq: number;
  readonly createdAt: number;
}

export const JSON_CONTENT_TYPE = 'application/vnd.cigale.batch+json';

const text = (value: string): string => JSON.stringify(value);

/** The shortest text that reads back as the same number; what JSON cannot say is missing. */
const number = (value: number | null): string => (value === null || !Number.isFinite(value) ? 'null' : String(value));

const period = (ms: number | null): string => (ms === null ? 'null' : `"${isoDuration(ms)}"`);

const flagList = (flags: readonly string[]): string => (flags.length === 0 ? '[]' : JSON.stringify(flags));

function members<Value>(values: Readonly<Record<string, Value>>, write: (value: Value) => string): string {
  return `{${Object.entries(values)
    .map(([name, value]) => `${text(name)}:${write(value)}`)
    .join(',')}}`;
}

const sampleText = (id: number, sample: Sample): string =>
  `{"kind":"sample","id":"${id}","place":${text(sample.place)},"channel":${text(sample.channel)},` +
  `"device":${text(sample.device)},"quantity":${text(sample.quantity)},"unit":${text(sample.unit)},` +
  `"observedAt":"${rfc3339(sample.observedAt)}","period":${period(sample.periodMs)},"value":${number(sample.value)},` +
  `"quality":"${sample.quality}","flags":${flagList(sample.flags)},"revision":${sample.revision}}`;

const aggregateText = (id: number, aggregate: Aggregate): string =>
  `{"kind":"aggregate","id":"${id}","place":${text(aggregate.place)},"channel":${text(aggregate.channel)},` +
  `"domain":${text(aggregate.domain)},"quantity":${text(aggregate.quantity)},"period":${period(aggregate.periodMs)},` +
  `"part":${text(aggregate.part)},"start":"${rfc3339(aggregate.start)}","end":"${rfc3339(aggregate.end)}",` +
  `"revision":${aggregate.revision},"count":${aggregate.count},"coverage":${number(aggregate.coverage)},` +
  `"valid":${aggregate.valid},"flags":${flagList(aggregate.flags)},` +
  `"values":${members(aggregate.values, number)},` +
  `"at":${members(aggregate.at, (instant) => `"${rfc3339(instant)}"`)}}`;

/** What a gap has nothing to say in is absent, as in `recordJson`. */
const gapText = (id: number, gap: GapRecord): string =>
  `{"kind":"gap","id":"${id}",` +
  (gap.place === '' ? '' : `"place":${text(gap.place)},`) +
  (gap.stream === '' ? '' : `"stream":${text(gap.stream)},`) +
  `"from":"${rfc3339(gap.from)}","to":"${rfc3339(gap.to)}","cause":${text(gap.cause)}` +
  (gap.count === null ? '}' : `,"count":${gap.count}}`);

/**
 * One record as JSON text. Written by hand because it is the hot path of sending: `JSON.stringify` of a whole body
 * costs about twice as much, and a record's size must be known before it is taken into a batch.
 */
export function recordText({ id, record }: LogEntry): string {
  if (record.kind === 'sample') return sampleText(id, record);
  return record.kind === 'aggregate' ? aggregateText(id, record) : gapText(id, record);
}

const headText = (head: BatchHead): string =>
  `{"v":1,"gateway":${text(head.gateway)},"stream":${text(head.stream)},"epoch":${text(head.epoch)},"seq":${head.seq},` +
  `"createdAt":"${rfc3339(head.createdAt)}","records":[`;

/** The body around records that `recordText` wrote. */
export const bodyText = (head: BatchHead, records: readonly string[]): string =>
  `${headText(head)}${records.join(',')}]}`;

/** Where the records of a batch are that was refused. */
export type ReplacedBody =
  /** First and last number of the batches that they went into. */
  | { readonly replacedBy: readonly [from: number, to: number] }
  /** Ids of records that are not sent. */
  | { readonly parked: readonly string[] };

/** The body without records that takes the place of a refused one. */
export const emptyBodyText = (head: BatchHead, fate: ReplacedBody): string =>
  `${headText(head)}],${JSON.stringify(fate).slice(1)}`;
