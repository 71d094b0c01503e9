import type { RetimeSpan } from '../store/clock-store.ts';
import type { ClockSource } from './clock-policy.ts';

/** Records of this boot that wait for the clock to be set. */
export interface HeldSpan {
  readonly fromId: number;
  /** First instant of the estimated line. */
  readonly startAt: number;
  /** When that was, monotonic. */
  readonly sinceMs: number;
}

/** An estimated line that is over: what was received on it and comes late is put right by it. */
export type FormerLine = Pick<RetimeSpan, 'startAt' | 'endAt'> & {
  /** What is added to its instants; null: nobody will ever know. */
  readonly deltaMs: number | null;
};

/**
 * What the store keeps of the line of time, so that a process that is started again in the same boot goes on with it. The monotonic
 * time of a record is its instant minus `offsetMs`.
 */
export interface ClockState {
  readonly bootId: string;
  /** UTC minus monotonic time of the line, milliseconds. */
  readonly offsetMs: number;
  readonly source: ClockSource;
  /** UTC minus monotonic time of the system's clock when that was saved. */
  readonly systemOffsetMs: number;
  readonly held: HeldSpan | null;
  /** Re-timing under way: `toId` null until every record of the span is on disk. */
  readonly settling: (Omit<RetimeSpan, 'toId'> & { readonly toId: number | null }) | null;
  readonly former: FormerLine | null;
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const hasNumbers = (value: unknown, ...names: readonly string[]): boolean =>
  value === null || (isFields(value) && names.every((name) => Number.isFinite(value[name])));

/** Undefined for a text that was not written by us. */
export function readClockState(text: string | undefined): ClockState | undefined {
  if (text === undefined) return undefined;
  try {
    const state: unknown = JSON.parse(text);
    return isClockState(state) ? state : undefined;
  } catch {
    // A text that is none of ours: the line begins anew.
    return undefined;
  }
}

const isClockState = (state: unknown): state is ClockState =>
  isFields(state) &&
  typeof state['bootId'] === 'string' &&
  typeof state['source'] === 'string' &&
  hasNumbers(state, 'offsetMs', 'systemOffsetMs') &&
  hasNumbers(state['held'], 'fromId', 'startAt', 'sinceMs') &&
  hasNumbers(state['settling'], 'fromId', 'startAt', 'endAt', 'deltaMs') &&
  hasNumbers(state['former'], 'startAt', 'endAt');

/** Id of the first record that nobody may send yet; Infinity: every record may go. */
export const heldFrom = ({ settling, held }: ClockState): number =>
  settling?.fromId ?? held?.fromId ?? Number.POSITIVE_INFINITY;
