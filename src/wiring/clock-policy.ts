import type { Uplink } from '../model/frame.ts';

/** `CIGALE_CLOCK`. `auto`: as the time service says, else a plausible clock is right. `wait`: only a clock that was set. `trust`: the system's clock is right. */
export type ClockMode = 'auto' | 'wait' | 'trust';

/** What set the gateway's line of time; `system`: the system's clock, which nobody is known to keep. */
export type ClockSource = 'none' | 'system' | 'time-service' | 'gps' | 'phone';

export const clockMode = (text: string | undefined): ClockMode => (text === 'wait' || text === 'trust' ? text : 'auto');

/** No gateway of this version ran before, nor will one run after. */
export const EARLIEST_AT = Date.UTC(2026, 0, 1);
const LATEST_AT = Date.UTC(2046, 0, 1);

/** Whether an instant may be the present. */
export const isPlausibleNow = (at: number, floorAt = EARLIEST_AT): boolean =>
  at >= Math.max(EARLIEST_AT, floorAt) && at <= LATEST_AT;

export interface SystemClockFacts {
  readonly mode: ClockMode;
  /** Whether a time service has set the system's clock; null: there is none that we know. */
  readonly synchronized: boolean | null;
  readonly systemAt: number;
  /** The gateway is known to have run then: now is later. */
  readonly floorAt: number;
  /** What set the line so far. */
  readonly source: ClockSource;
  /** Somebody moved the system's clock since it was found wanting, or nobody has looked at it yet. */
  readonly isFresh: boolean;
}

/**
 * Whether the system's clock is right. GPS and phone know better than a clock that nobody keeps; and a clock that was implausible
 * at the start of the gateway is not right because it ticked on.
 */
export function trustsSystem({ mode, synchronized, systemAt, floorAt, source, isFresh }: SystemClockFacts): boolean {
  if (mode === 'trust' || synchronized === true) return true;
  if (mode === 'wait' || synchronized === false || source === 'gps' || source === 'phone') return false;
  return (source !== 'none' || isFresh) && isPlausibleNow(systemAt, floorAt);
}

/** A time that equals the clock that it is to set was copied from it. */
const COPY_TOLERANCE_MS = 2000;

/**
 * UTC minus monotonic time by the GPS time of a frame's concentrator, or null where it says nothing. `receivedAt` is of the line with
 * `offsetMs`. A forwarder without GPS writes the system's clock, which nobody set.
 */
export function gpsOffset(
  { receivedAt, reception: { gpsAt } }: Pick<Uplink, 'receivedAt' | 'reception'>,
  line: { readonly offsetMs: number; readonly systemOffsetMs: number },
): number | null {
  if (gpsAt === null || !isPlausibleNow(gpsAt)) return null;
  const offsetMs = gpsAt - (receivedAt - line.offsetMs);
  return Math.abs(offsetMs - line.systemOffsetMs) < COPY_TOLERANCE_MS ? null : offsetMs;
}
