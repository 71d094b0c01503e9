import { describe, expect, it } from 'vitest';
import { markEstimated, settle, settledAt } from '../../src/wiring/time-stamp.ts';
import { sample } from '../store/records.ts';

const AHEAD = { startAt: 1000, endAt: 2000, deltaMs: -500 };
const BEHIND = { startAt: 1000, endAt: 2000, deltaMs: 50_000 };

describe('a time that was taken before the clock was set and comes after', () => {
  it('is put right by what the clock was wrong by, once', () => {
    const at = settledAt(1500, BEHIND, 53_000);
    expect(at).toBe(51_500);
    expect(settledAt(at, BEHIND, 53_000)).toBe(at);
  });

  it('is left alone where it is of another time', () => {
    for (const at of [999, 2001]) expect(settledAt(at, BEHIND, 53_000)).toBe(at);
    expect(settledAt(1500, null, 53_000)).toBe(1500);
  });

  it('is surely of a line that was ahead only while it is still to come', () => {
    expect(settledAt(1900, AHEAD, 1600)).toBe(1400);
    expect(settledAt(1550, AHEAD, 1600)).toBe(1550);
  });
});

describe('a sample', () => {
  it('is marked while the time is an estimate, unless it brought a time of its own', () => {
    expect(markEstimated(sample(0, { observedAt: 7, receivedAt: 7 })).flags).toEqual(['clock-estimated']);
    expect(markEstimated(sample(0, { observedAt: 5, receivedAt: 7 })).flags).toEqual([]);
  });

  it('keeps the time that it brought when the clock is set', () => {
    const own = settle(sample(0, { observedAt: 5, receivedAt: 1500 }), BEHIND, 53_000);
    expect([own.observedAt, own.receivedAt]).toEqual([5, 51_500]);
    const ours = settle(sample(0, { observedAt: 1500, receivedAt: 1500 }), BEHIND, 53_000);
    expect([ours.observedAt, ours.receivedAt]).toEqual([51_500, 51_500]);
  });
});
