const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** ISO 8601 duration of whole milliseconds: `PT1S`, `PT15M`, `PT1H`, `P1D`, `PT0.125S`. */
export function isoDuration(ms: number): string {
  if (ms > 0 && ms % DAY_MS === 0) return `P${ms / DAY_MS}D`;
  if (ms > 0 && ms % HOUR_MS === 0) return `PT${ms / HOUR_MS}H`;
  if (ms > 0 && ms % MINUTE_MS === 0) return `PT${ms / MINUTE_MS}M`;
  return `PT${ms / SECOND_MS}S`;
}

/** Exclusive. A window that begins before it still ends in a year of four digits, which is all that RFC 3339 can write. */
const END_OF_INSTANTS_MS = Date.UTC(9999, 11, 31);

/** Whether a number is an instant that the gateway can handle: whole milliseconds since 1970, in a year of four digits. */
export const isInstant = (epochMs: number): boolean =>
  Number.isInteger(epochMs) && epochMs >= 0 && epochMs < END_OF_INSTANTS_MS;

/** RFC 3339 UTC with milliseconds. */
export const rfc3339 = (epochMs: number): string => new Date(epochMs).toISOString();
