import type { Destination, LogEntry, NewEntry } from '../model/record.ts';
import { type Block, decodeBlock } from './block-codec.ts';
import type { LogInterval } from './store.ts';

/** The gap that says that stored records were destroyed; how many samples were among them nobody can tell. */
export const lossEntry = (
  times: { readonly from: number; readonly to: number },
  streams: readonly Destination[],
): NewEntry => ({
  record: { kind: 'gap', place: '', stream: '', ...times, cause: 'store-damaged', count: null },
  to: streams,
});

/** The streams that have still to send any of the lost ids. */
export function streamsThatLack(
  wants: ReadonlyMap<string, readonly LogInterval[]>,
  lost: LogInterval,
): readonly Destination[] {
  const lacks = (wanted: LogInterval): boolean => wanted.from < lost.to && wanted.to > lost.from;
  return [...wants].filter(([, intervals]) => intervals.some(lacks)).map(([stream]): Destination => `stream:${stream}`);
}

/** When the first or last record of a block was taken; a block without samples tells it by its instants. */
export function takenInBlock(block: Block, which: 'first' | 'last'): number {
  const times = (decodeBlock(block) ?? []).flatMap(takenAt);
  return (which === 'first' ? times[0] : times.at(-1)) ?? (which === 'first' ? block.minAt : block.maxAt);
}

const takenAt = ({ record }: LogEntry): readonly number[] => (record.kind === 'sample' ? [record.receivedAt] : []);
