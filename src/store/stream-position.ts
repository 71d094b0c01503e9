import type { LogEntry } from '../model/record.ts';
import { type IntervalList, holdsId, overlaps } from './interval-list.ts';

/** Where a stream stands in the log. */
export interface StreamPosition {
  readonly stream: string;
  /** What no batch holds yet. */
  readonly unsealed: IntervalList;
  /** What batches hold that were not acknowledged, among it what is being sealed. */
  readonly unacknowledged: IntervalList;
}

/** Ids `[firstId, endId)`. */
interface Ids {
  readonly firstId: number;
  readonly endId: number;
}

/** Whether a batch that was not acknowledged holds any of them: then they are left as they are. */
export const isHeld = (positions: readonly StreamPosition[], { firstId, endId }: Ids): boolean =>
  positions.some(({ unacknowledged }) => overlaps(unacknowledged, firstId, endId));

/** The streams that have not sealed all of them. */
export const waitingStreams = (positions: readonly StreamPosition[], { firstId, endId }: Ids): readonly string[] =>
  positions.filter(({ unsealed }) => overlaps(unsealed, firstId, endId)).map(({ stream }) => stream);

/** The streams that an entry goes to and that have not sealed it, as one text. */
export function sideOf(positions: readonly StreamPosition[], { id, to }: LogEntry): string {
  const waiting = positions.filter(({ stream, unsealed }) => to.includes(`stream:${stream}`) && holdsId(unsealed, id));
  return waiting.map(({ stream }) => stream).join('\u001f');
}
