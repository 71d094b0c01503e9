import type { NewEntry } from '../model/record.ts';
import { encodeBlock } from './block-codec.ts';
import { blockOf } from './block-row.ts';
import { insertBlock } from './log-writer.ts';
import { lossEntry, streamsThatLack, takenInBlock } from './lost-records.ts';
import type { Hole, SalvagedLog } from './salvage-log.ts';
import type { SalvageTarget } from './salvage-target.ts';
import type { LogInterval } from './store.ts';

/** More holes than these are declared some together: the gaps get longer, none is left out. */
const MAX_GAPS = 500;

interface Losses {
  readonly log: SalvagedLog;
  /** What each stream has still to send. */
  readonly wants: ReadonlyMap<string, readonly LogInterval[]>;
  /** How far the log had got as noted beside the database; 0 when that is not known. */
  readonly notedHead: number;
  /** Ids that an earlier salvage has declared lost. */
  readonly declared: readonly LogInterval[];
  readonly nowMs: number;
}

/**
 * Writes a gap `store-damaged` for every run of records that were stored and could not be carried over, to the streams
 * that lacked any of them. Returns the ids that are declared lost, those of earlier salvages among them.
 */
export async function declareLosses(to: SalvageTarget, losses: Losses): Promise<readonly LogInterval[]> {
  const { log, declared, nowMs } = losses;
  // Nothing tells when the lost records were taken: the gateway declares the store as lost as a whole.
  if (log.records === 0) return declared;
  const holes = together(allHoles(losses).filter(({ ids }) => !declared.some((known) => contains(known, ids))));
  const entries: NewEntry[] = [];
  for (const { ids, before, after } of holes) {
    const end = after === null ? nowMs : await takenIn(to, after, 'first');
    const start = before === null ? end : await takenIn(to, before, 'last');
    const times = { from: Math.min(start, end), to: end };
    const streams = streamsThatLack(losses.wants, ids);
    entries.push(lossEntry(times, streams));
  }
  if (entries.length > 0) await to.put('log', insertBlock(encodeBlock(log.head, entries)));
  await to.flush();
  return [...declared, ...holes.map(({ ids }) => ids)].slice(-MAX_GAPS);
}

/** The holes between blocks, what streams lack before the first, and what is known or must be feared after the last. */
function allHoles({ log, wants, notedHead }: Losses): readonly Hole[] {
  const wantedFrom = [...wants.values()].flat().reduce((least, { from }) => Math.min(least, from), log.firstId);
  const isFrontLost = wantedFrom < log.firstId;
  const front = { ids: { from: wantedFrom, to: log.firstId }, before: null, after: log.firstId };
  const isTailUnknown = notedHead === 0 && !log.isComplete;
  const tailEnd = isTailUnknown ? Number.MAX_SAFE_INTEGER : notedHead;
  const tail = { ids: { from: log.head, to: tailEnd }, before: log.lastBlock, after: null };
  return [...(isFrontLost ? [front] : []), ...log.holes, ...(tailEnd > log.head ? [tail] : [])];
}

function together(holes: readonly Hole[]): readonly Hole[] {
  const size = Math.max(1, Math.ceil(holes.length / MAX_GAPS));
  return holes.flatMap((first, index) => {
    const last = holes[Math.min(index + size, holes.length) - 1] ?? first;
    return index % size === 0
      ? [{ ids: { from: first.ids.from, to: last.ids.to }, before: first.before, after: last.after }]
      : [];
  });
}

const contains = (outer: LogInterval, inner: LogInterval): boolean => outer.from <= inner.from && outer.to >= inner.to;

async function takenIn(to: SalvageTarget, firstId: number, which: 'first' | 'last'): Promise<number> {
  const [row] = await to.driver.read('SELECT * FROM log WHERE first_id = ?', [firstId]);
  return row === undefined ? 0 : takenInBlock(blockOf(row), which);
}
