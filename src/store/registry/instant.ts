const DAY_MS = 86_400_000;
/** No zone is further from UTC than 14 hours. */
const MAX_ZONE_MS = 15 * 3_600_000;

const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(:\d{2})?(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;
const ISO_DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const FRENCH_DATE = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/;

/** RFC 3339 (seconds may be left out) as epoch milliseconds; undefined when it is not, or names no real instant. */
export function parseRfc3339(text: string): number | undefined {
  const [, date, time, seconds = ':00', fraction = '', zone] = RFC3339.exec(text) ?? [];
  if (date === undefined || time === undefined || zone === undefined || parseDate(date, false) === undefined) {
    return undefined;
  }
  const ms = Date.parse(`${date}T${time}${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}${zone.toUpperCase()}`);
  return Number.isNaN(ms) ? undefined : ms;
}

/** A date as its UTC midnight. `2026-03-01` always; `01/03/2026`, day first, where `dayFirst`. */
export function parseDate(text: string, dayFirst: boolean): number | undefined {
  const [, year, month, day] = ISO_DATE.exec(text) ?? [];
  if (year !== undefined) return realDate(Number(year), Number(month), Number(day));
  const [, frenchDay, frenchMonth, frenchYear] = (dayFirst ? FRENCH_DATE.exec(text) : null) ?? [];
  return frenchYear === undefined ? undefined : realDate(Number(frenchYear), Number(frenchMonth), Number(frenchDay));
}

/** 31 February is not 3 March. */
function realDate(year: number, month: number, day: number): number | undefined {
  if (year < 1970) return undefined;
  const ms = Date.UTC(year, month - 1, day);
  const date = new Date(ms);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? ms : undefined;
}

/** Finds local midnights of one zone; remembers them, since the rows of a file mostly name the same few days. */
export function localMidnights(timezone: string): (utcMidnight: number) => number {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: timezone,
    calendar: 'gregory',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  const known = new Map<number, number>();
  return (utcMidnight) => {
    const standing = known.get(utcMidnight);
    if (standing !== undefined) return standing;
    const found = firstInstantOf(utcMidnight, (ms) => localDay(format, ms));
    known.set(utcMidnight, found);
    return found;
  };
}

/**
 * The first instant whose local date is the given one. Searched, not computed from an offset: where summer time
 * begins at midnight, 00:00 does not exist and the day begins at 01:00.
 */
function firstInstantOf(day: number, localDayOf: (ms: number) => number): number {
  let before = day - MAX_ZONE_MS;
  let within = day + MAX_ZONE_MS;
  while (within - before > 1) {
    const middle = Math.floor((before + within) / 2);
    if (localDayOf(middle) >= day) within = middle;
    else before = middle;
  }
  return within;
}

function localDay(format: Intl.DateTimeFormat, ms: number): number {
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const days = Date.UTC(parts.get('year') ?? 0, (parts.get('month') ?? 1) - 1, parts.get('day') ?? 1) / DAY_MS;
  return days * DAY_MS;
}
