import { decodeBlock } from './block-codec.ts';
import { blockOf } from './block-row.ts';
import type { Driver } from './driver.ts';
import { type ReadOutbox, type SealedBatch, readOutbox } from './salvage-batches.ts';
import type { SalvagedLog } from './salvage-log.ts';
import { makesSense } from './salvage-tables.ts';
import type { SalvageTarget } from './salvage-target.ts';
import type { LogInterval } from './store.ts';
import { MAX_STREAMS, type StreamRecord, batchKey, putStream, recordOf } from './stream-state.ts';
import { scan } from './tolerant-scan.ts';

/** Blocks whose destinations name the streams where the table of streams cannot be read. */
const NAMING_BLOCKS = 200;

export interface SalvagedStreams {
  readonly incomplete: readonly string[];
  readonly uncertain: readonly string[];
  /** What each stream has still to send, with what was to come; where that is not known, everything. */
  readonly wants: ReadonlyMap<string, readonly LogInterval[]>;
}

/**
 * Carries over how far each stream has got in the log. Numbers start again, as the epoch is new; the records of batches
 * that were sealed and not acknowledged are unsealed again. Where the position is lost, what no readable acknowledged batch
 * holds is sent again: twice rather than never.
 */
export async function copyStreams(
  from: Driver,
  to: SalvageTarget,
  log: SalvagedLog,
  nowMs: number,
): Promise<SalvagedStreams> {
  const outbox = await readOutbox(from);
  to.refuse('batch', outbox.refused);
  const { records, isComplete } = await readStreams(from, to);
  const uncertain: string[] = [];
  const wants = new Map<string, readonly LogInterval[]>();
  for (const record of records.filter(({ isDropped }) => !isDropped)) {
    const again = restarted(record, outbox, log, uncertain);
    wants.set(record.stream, uncertain.includes(record.stream) ? EVERYTHING : wantsOf(record, again));
    await to.put('stream', putStream(again));
  }
  const isLacking = !isComplete || to.refused.has('stream');
  const known = new Set(records.map(({ stream }) => stream));
  let ref = records.reduce((greatest, record) => Math.max(greatest, record.ref), 0);
  for (const stream of isLacking ? await missingStreams(to, outbox, known) : []) {
    ref += 1;
    uncertain.push(stream);
    wants.set(stream, EVERYTHING);
    const sealed = outbox.batches.filter((batch) => batch.stream === stream);
    await to.put('stream', putStream(fresh(stream, ref, nowMs, unproved(sealed, outbox, log), log.head)));
  }
  await to.flush();
  return { incomplete: [...outbox.incomplete, ...(isComplete ? [] : ['stream'])], uncertain, wants };
}

const EVERYTHING: readonly LogInterval[] = [{ from: 1, to: Number.MAX_SAFE_INTEGER }];

/** The new position ends where the log that could be read ends; the old one tells what was to come after that. */
const wantsOf = (before: StreamRecord, after: StreamRecord): readonly LogInterval[] => [
  ...after.rest.backlog,
  { from: before.rest.liveFrom, to: Number.MAX_SAFE_INTEGER },
];

async function readStreams(
  from: Driver,
  to: SalvageTarget,
): Promise<{ readonly records: readonly StreamRecord[]; readonly isComplete: boolean }> {
  const outcome = { isComplete: true };
  const records = new Map<string, StreamRecord>();
  for await (const rows of scan(from, { name: 'stream', key: ['rowid'] }, outcome)) {
    for (const row of rows) {
      const isUsable = makesSense(() => {
        const record = recordOf(row);
        if (!isSane(record) || records.has(record.stream)) return false;
        records.set(record.stream, record);
        return true;
      });
      if (!isUsable) to.refuse('stream');
    }
  }
  return { records: [...records.values()], isComplete: outcome.isComplete };
}

const isWhole = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;

const isSane = ({ stream, ref, lastSeq, ackedTo, rest, createdAt }: StreamRecord): boolean =>
  stream !== '' &&
  isWhole(ref, 1) &&
  ref <= MAX_STREAMS &&
  isWhole(ackedTo, 0) &&
  isWhole(lastSeq, ackedTo) &&
  isWhole(createdAt, 0) &&
  isWhole(rest.liveFrom, 1) &&
  rest.backlog.every(({ from, to }) => isWhole(from, 1) && isWhole(to, from + 1) && to <= rest.liveFrom);

/** The stream under the new epoch. */
function restarted(record: StreamRecord, outbox: ReadOutbox, log: SalvagedLog, uncertain: string[]): StreamRecord {
  const sealed = outbox.batches.filter(({ ref, stream }) => ref === record.ref && stream === record.stream);
  const bySeq = new Map(sealed.map((batch) => [batch.seq, batch]));
  const again: LogInterval[] = [];
  for (let seq = record.ackedTo + 1; seq <= record.lastSeq; seq += 1) {
    if (outbox.acknowledged.has(batchKey(record.ref, seq))) continue;
    const batch = bySeq.get(seq);
    if (batch === undefined) {
      // Which records it held is not known: nothing but the batches that were acknowledged can be left out.
      uncertain.push(record.stream);
      return fresh(record.stream, record.ref, record.createdAt, unproved(sealed, outbox, log), log.head);
    }
    if (batch.ids !== null) again.push(batch.ids);
  }
  const liveFrom = Math.min(record.rest.liveFrom, log.head);
  return fresh(record.stream, record.ref, record.createdAt, [...record.rest.backlog, ...again], liveFrom);
}

/** A stream whose numbers begin again. */
function fresh(
  stream: string,
  ref: number,
  createdAt: number,
  backlog: readonly LogInterval[],
  liveFrom: number,
): StreamRecord {
  const rest = JSON.stringify(merged(backlog, liveFrom));
  const row = { ref, stream, dropped: 0, last_seq: 0, acked_to: 0, live_from: liveFrom, backlog: rest };
  return recordOf({ ...row, created_at: createdAt });
}

/** What no acknowledged batch holds, from the first record that a kept batch holds on; all of the log when there is none. */
function unproved(
  sealed: readonly SealedBatch[],
  { acknowledged }: ReadOutbox,
  log: SalvagedLog,
): readonly LogInterval[] {
  const known = sealed.flatMap(({ ref, seq, ids }) =>
    ids === null ? [] : [{ ...ids, isDone: acknowledged.has(batchKey(ref, seq)) }],
  );
  const done = known.filter(({ isDone }) => isDone).toSorted((a, b) => a.from - b.from);
  let next = known.reduce(
    (least, { from }) => Math.min(least, from),
    Math.min(log.head, known.length === 0 ? log.firstId : log.head),
  );
  const gaps: LogInterval[] = [];
  for (const { from, to } of done) {
    if (from > next) gaps.push({ from: next, to: from });
    next = Math.max(next, to);
  }
  return [...gaps, { from: next, to: log.head }];
}

/** Ascending, without overlap, all below `end`. */
function merged(intervals: readonly LogInterval[], end: number): readonly LogInterval[] {
  const result: LogInterval[] = [];
  for (const { from, to: beyond } of intervals.toSorted((a, b) => a.from - b.from)) {
    const to = Math.min(beyond, end);
    const last = result.at(-1);
    if (from >= to) continue;
    if (last !== undefined && from <= last.to)
      result[result.length - 1] = { from: last.from, to: Math.max(last.to, to) };
    else result.push({ from, to });
  }
  return result;
}

/** Streams that batches or the newest records name and that the table does not. */
async function missingStreams(
  to: SalvageTarget,
  { batches }: ReadOutbox,
  known: ReadonlySet<string>,
): Promise<readonly string[]> {
  const names = new Set(batches.map(({ stream }) => stream));
  for (const row of await to.driver.read(`SELECT * FROM log ORDER BY first_id DESC LIMIT ${NAMING_BLOCKS}`)) {
    for (const entry of decodeBlock(blockOf(row)) ?? []) {
      for (const destination of entry.to)
        if (destination.startsWith('stream:')) names.add(destination.slice('stream:'.length));
    }
  }
  return [...names].filter((name) => !known.has(name)).slice(0, MAX_STREAMS - known.size);
}
