import type { LogEntry } from '../model/record.ts';
import type { LifeStore, LogStore, UplinkStore } from '../store/store.ts';

/** Newest records that are searched for the one that was taken last. */
const RECENT_ENTRIES = 200;

/**
 * The latest instant that anything on disk tells of, and not the instant of the last record: a frame that waited for the disk
 * gives its samples, with the time at which it was received, behind those of lines that were received after it. Instants after
 * `nowAt` are those of a clock that was set back since; they count only where there are no others. Undefined for a new store.
 */
export async function lastAlive(
  store: LogStore & LifeStore & Pick<UplinkStore, 'undecodedUplinks'>,
  nowAt = Number.POSITIVE_INFINITY,
): Promise<number | undefined> {
  const head = store.head();
  const entries = await store.read(Math.max(1, head - RECENT_ENTRIES), RECENT_ENTRIES);
  const frames = await store.undecodedUplinks();
  const known = [await store.aliveAt(), ...entries.map(takenAt), ...frames.map(({ receivedAt }) => receivedAt)];
  const instants = known.filter((at) => at !== undefined);
  const past = instants.filter((at) => at <= nowAt);
  return latest(past.length > 0 ? past : instants);
}

const latest = (instants: readonly number[]): number | undefined => {
  const [first, ...others] = instants;
  return first === undefined ? undefined : others.reduce((most, at) => Math.max(most, at), first);
};

/** When the gateway took it; aggregates tell of the time of their samples. */
function takenAt({ record }: LogEntry): number | undefined {
  if (record.kind === 'aggregate') return undefined;
  return record.kind === 'sample' ? record.receivedAt : record.to;
}
