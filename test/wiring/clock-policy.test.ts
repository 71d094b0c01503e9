import { describe, expect, it } from 'vitest';
import {
  clockMode,
  gpsOffset,
  isPlausibleNow,
  trustsSystem,
  type SystemClockFacts,
} from '../../src/wiring/clock-policy.ts';

const NOW = Date.UTC(2026, 10, 23);
const facts = (change: Partial<SystemClockFacts> = {}): SystemClockFacts => ({
  mode: 'auto',
  synchronized: null,
  systemAt: NOW,
  floorAt: 0,
  source: 'none',
  isFresh: true,
  ...change,
});
const reception = (gpsAt: number | null) => ({
  gatewayEui: 'aa',
  tmst: 1,
  frequencyHz: 1,
  dataRate: '',
  rssiDbm: null,
  snrDb: null,
  gpsAt,
});

describe("whether the system's clock is right", () => {
  it('is as a time service says, whatever the time', () => {
    expect(trustsSystem(facts({ synchronized: true, systemAt: 0 }))).toBe(true);
    expect(trustsSystem(facts({ synchronized: false }))).toBe(false);
  });

  it('is, without a time service, a matter of whether the time can be the present', () => {
    expect(trustsSystem(facts())).toBe(true);
    expect(trustsSystem(facts({ systemAt: Date.UTC(1970, 0, 1) }))).toBe(false);
    expect(trustsSystem(facts({ systemAt: Date.UTC(2082, 0, 1) }))).toBe(false);
    expect(trustsSystem(facts({ floorAt: NOW + 1 }))).toBe(false);
  });

  it('is not so because a clock that was wrong ticked on', () => {
    expect(trustsSystem(facts({ isFresh: false }))).toBe(false);
  });

  it('is not so where GPS or a phone said otherwise', () => {
    for (const source of ['gps', 'phone'] as const) {
      expect(trustsSystem(facts({ source }))).toBe(false);
      expect(trustsSystem(facts({ source, synchronized: true }))).toBe(true);
    }
  });

  it('is decided by CIGALE_CLOCK where that says so', () => {
    expect(trustsSystem(facts({ mode: 'trust', synchronized: false, systemAt: 0 }))).toBe(true);
    expect(trustsSystem(facts({ mode: 'wait' }))).toBe(false);
    expect(trustsSystem(facts({ mode: 'wait', synchronized: true }))).toBe(true);
    expect([undefined, 'trust', 'wait', 'nonsense'].map(clockMode)).toEqual(['auto', 'trust', 'wait', 'auto']);
  });
});

describe('GPS time', () => {
  const line = { offsetMs: 0, systemOffsetMs: 0 };

  it('gives the offset of the line by the moment of reception', () => {
    expect(gpsOffset({ receivedAt: 5000, reception: reception(NOW) }, line)).toBe(NOW - 5000);
  });

  it('says nothing where there is none, where it cannot be the present, or where it is a copy of the unset clock', () => {
    expect(gpsOffset({ receivedAt: 5000, reception: reception(null) }, line)).toBeNull();
    // The week counter of an old receiver has begun anew.
    expect(gpsOffset({ receivedAt: 5000, reception: reception(Date.UTC(2007, 3, 1)) }, line)).toBeNull();
    const copying = { offsetMs: NOW - 100, systemOffsetMs: NOW };
    expect(gpsOffset({ receivedAt: NOW, reception: reception(NOW + 90) }, copying)).toBeNull();
  });

  it('is plausible between the release and twenty years after', () => {
    expect([2025, 2026, 2045, 2047].map((year) => isPlausibleNow(Date.UTC(year, 6, 1)))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});
