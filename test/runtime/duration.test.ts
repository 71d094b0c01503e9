import { describe, expect, it } from 'vitest';
import { isoDuration, parseDuration, rfc3339 } from '../../src/runtime/duration.ts';

describe('durations', () => {
  it('reads milliseconds, seconds, minutes, hours and days', () => {
    expect(['500ms', '1s', '15m', '1h', '7d'].map(parseDuration)).toEqual([500, 1000, 900_000, 3_600_000, 604_800_000]);
  });

  it('refuses what is not a duration', () => {
    expect(['', '15', 'm', '-1s', '1.5h', '1 s x', 'PT1S'].map(parseDuration)).toEqual(Array(7).fill(undefined));
  });

  it('writes ISO 8601 with the largest whole unit', () => {
    expect([125, 1000, 60_000, 900_000, 3_600_000, 86_400_000].map(isoDuration)).toEqual([
      'PT0.125S',
      'PT1S',
      'PT1M',
      'PT15M',
      'PT1H',
      'P1D',
    ]);
  });

  it('writes instants as RFC 3339 UTC with milliseconds', () => {
    expect(rfc3339(Date.UTC(2026, 10, 23, 9, 59, 59))).toBe('2026-11-23T09:59:59.000Z');
  });
});
