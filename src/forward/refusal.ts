import { answerOf } from './broker-answers.ts';

/** Why a broker refuses a batch, as far as its answer tells. */
export type RefusalCause =
  /** What is in it (0x99): it will never be taken as it is. */
  | 'content'
  /** Its size (0x95). */
  | 'size'
  /** 0x80, 0x83, or a connection that ended each time: the batch, or the broker's own trouble. */
  | 'unclear'
  /** Rights, quota, topic name and the rest: nothing that another batch would cure. */
  | 'other';

const PACKET_TOO_LARGE = 0x95;

/** `reasonCode` null: the connection ended each time. */
export function causeOf(reasonCode: number | null): RefusalCause {
  if (reasonCode === null) return 'unclear';
  const { handling } = answerOf('PUBACK', reasonCode);
  if (handling === 'split') return reasonCode === PACKET_TOO_LARGE ? 'size' : 'content';
  return handling === 'split if others pass' ? 'unclear' : 'other';
}

/** What happened to one batch; counts of acknowledgements are of batches with records, of the whole stream. */
export interface RefusalHistory {
  cause: RefusalCause | null;
  /** Refusals for content or size. */
  certain: number;
  /** Refusals without a clear cause; a lost connection counts when nothing else of the stream was on its way. */
  unclear: number;
  /** Acknowledgements before its first publish. */
  acknowledgedAtSend: number | null;
  /** Acknowledgements before its first refusal. */
  acknowledgedAtRefusal: number | null;
}

export const noRefusal = (): RefusalHistory => ({
  cause: null,
  certain: 0,
  unclear: 0,
  acknowledgedAtSend: null,
  acknowledgedAtRefusal: null,
});

export type RefusalAnswer = 'keep' | 'split' | 'park';

const PARK_AFTER_CERTAIN = 2;
const SPLIT_AFTER_UNCLEAR = 3;
const PARK_AFTER_UNCLEAR = 5;

/**
 * What to do with a refused batch. A record is parked only while the broker takes others of the stream: a broker that
 * takes nothing has a fault of its own, and what it refuses is kept for when that is corrected.
 */
export function answerTo(history: RefusalHistory, recordCount: number, acknowledged: number): RefusalAnswer {
  const { cause, certain, unclear, acknowledgedAtSend, acknowledgedAtRefusal } = history;
  if (recordCount === 0 || cause === null || cause === 'other') return 'keep';
  if (cause !== 'unclear') {
    if (recordCount > 1) return 'split';
    return certain >= PARK_AFTER_CERTAIN && acknowledged > 0 ? 'park' : 'keep';
  }
  if (recordCount > 1)
    return unclear >= SPLIT_AFTER_UNCLEAR && acknowledged > (acknowledgedAtSend ?? acknowledged) ? 'split' : 'keep';
  return unclear >= PARK_AFTER_UNCLEAR && acknowledged > (acknowledgedAtRefusal ?? acknowledged) ? 'park' : 'keep';
}
