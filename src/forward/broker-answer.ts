import type { Text } from '../model/text.ts';

/** What carries an answer; `line` is the connection itself. */
export type AnswerPacket = 'PUBACK' | 'CONNACK' | 'CONNACK 3.1.1' | 'DISCONNECT' | 'line';

/** What the gateway does about an answer; `docs/delivery.md` tells each of them at length. */
export type Handling =
  /** The batch is delivered. */
  | 'acknowledged'
  /** Kept; tried again slowly until somebody receives. */
  | 'wait for a receiver'
  /** Split at once; a record that is refused alone is set aside. */
  | 'split'
  /** Tried again; split, and the record set aside, where the broker takes other batches meanwhile. */
  | 'split if others pass'
  /** Kept whole; the stream waits and tries with its oldest batch. */
  | 'probe'
  /** Connect again with a growing delay; what was on its way goes again. */
  | 'reconnect'
  /** As `reconnect`, with at most half as many batches on their way. */
  | 'reconnect with fewer'
  /** As `reconnect`; the largest batch on its way is split. */
  | 'reconnect and split'
  /** As `reconnect`, without a last will. */
  | 'reconnect without will';

/** One answer of a broker, and what follows from it. */
export interface BrokerAnswer {
  readonly packet: AnswerPacket;
  /** Reason code (MQTT 5 §2.4), return code (3.1.1 §3.2.2.3), or a word for what no packet says. */
  readonly code: number | string;
  /** As the standard names it. */
  readonly name: string;
  readonly handling: Handling;
  /** Shortest delay before the next connection, ms. */
  readonly waitAtLeastMs: number;
  /** What a technician reads while it holds. */
  readonly status: Text;
}

type Row = readonly [
  code: number | string,
  name: string,
  handling: Handling,
  en: string,
  fr: string,
  waitAtLeastMs?: number,
];

/** The rows of one packet, as they are written down. */
export const answersOf = (packet: AnswerPacket, rows: readonly Row[]): readonly BrokerAnswer[] =>
  rows.map(([code, name, handling, en, fr, waitAtLeastMs = 0]) => ({
    packet,
    code,
    name,
    handling,
    waitAtLeastMs,
    status: { en, fr },
  }));

/** A delay for what only a person or the passing of time cures: still within a minute of the cure. */
export const SLOW_MS = 10_000;
export const VERY_SLOW_MS = 30_000;
