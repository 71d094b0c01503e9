import { describe, expect, it } from 'vitest';
import { DiskForecast, daysLeft, outageDays } from '../../src/health/disk-forecast.ts';

const HOUR = 3_600_000;

describe('the forecast of the disk', () => {
  it('says nothing before the store was observed for ten minutes', () => {
    const forecast = new DiskForecast();
    expect(forecast.growthPerDay(5, 0)).toBeNull();
    forecast.observe(1000, 0);
    expect(forecast.growthPerDay(2000, 599_999)).toBeNull();
    expect(forecast.growthPerDay(2000, 600_000)).toBe(144_000);
  });

  it('counts from the start, whenever somebody first asks', () => {
    const forecast = new DiskForecast();
    forecast.observe(0, 0);
    expect(forecast.growthPerDay(1e6, 12 * HOUR)).toBe(2e6);
    expect(daysLeft(10e6, 2e6)).toBe(5);
  });

  it('follows the rate of the last day, and forgets the days before', () => {
    const forecast = new DiskForecast();
    for (let hour = 0; hour <= 48; hour += 1) forecast.observe(hour < 24 ? hour * 1e6 : 24e6, hour * HOUR);
    expect(forecast.growthPerDay(24e6, 48 * HOUR)).toBe(0);
    expect(daysLeft(1e9, 0)).toBeNull();
  });

  it('gives no number of days while the store shrinks, and never a negative one', () => {
    expect(daysLeft(1e9, -5)).toBeNull();
    expect(daysLeft(-1, 10)).toBe(0);
    expect(daysLeft(1e9, null)).toBeNull();
  });
});

describe('days of outage', () => {
  const room = { roomBytes: 50e6, spareBytes: 10e6, recordBytes: 5, recordsPerDay: 100_000 };

  it('are the room, and what would give way, at the rate of the records as they are stored for years', () => {
    expect(outageDays(room)).toBe(120);
    expect(outageDays({ ...room, roomBytes: -1e9 })).toBe(0);
  });

  it('are not known before the rate is, nor while nothing comes', () => {
    expect(outageDays({ ...room, recordsPerDay: null })).toBeNull();
    expect(outageDays({ ...room, recordsPerDay: 0 })).toBeNull();
  });
});
