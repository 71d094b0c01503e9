import { EARLIEST_AT } from './clock-policy.ts';
import type { ClockState } from './clock-state.ts';

/** A clock that stands this far behind the last record was not set back: the record was noted a little late. */
const FLOOR_TOLERANCE_MS = 5000;

/** What an earlier process knew of the time, as far as it is worth something now. */
export interface KnownBefore {
  /** The state of an earlier process of this boot: monotonic time goes on. */
  readonly own: ClockState | undefined;
  /** The system's clock is right only if it is later. */
  readonly floorAt: number;
  /** The system's clock may be right: it was not found wanting in this boot, or somebody moved it since. */
  readonly isFresh: boolean;
  /** The estimated time of an earlier boot that nobody set; null: none. */
  readonly unknown: { readonly startAt: number; readonly endAt: number } | null;
}

/**
 * `newestAt`: the latest instant on disk. `notedAt`: when the gateway last noted that it ran, which a clock that was set back and
 * believed has overtaken; the same where it never did.
 */
export function knownBefore(
  before: ClockState | undefined,
  bootId: string,
  systemOffsetMs: number,
  newestAt: number,
  notedAt: number,
): KnownBefore {
  const own = before !== undefined && bootId !== '' && before.bootId === bootId ? before : undefined;
  const lost = own === undefined ? (before?.held ?? null) : null;
  return {
    own,
    floorAt: own !== undefined && own.source !== 'none' ? EARLIEST_AT : notedAt - FLOOR_TOLERANCE_MS,
    isFresh: own?.source !== 'none' || Math.abs(systemOffsetMs - own.systemOffsetMs) >= FLOOR_TOLERANCE_MS,
    unknown: lost === null ? null : { startAt: lost.startAt, endAt: newestAt },
  };
}
