import { describe, expect, it } from 'vitest';
import { Backoff } from '../../src/runtime/retry.ts';

describe('back-off', () => {
  it('doubles from the first delay to the longest and stays there', () => {
    const backoff = new Backoff({ firstMs: 1000, maxMs: 10_000, jitter: 0, random: () => 0 });
    expect([1, 2, 3, 4, 5, 6].map(() => backoff.nextDelayMs())).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  it('takes a random share of each delay away so that gateways do not reconnect in step', () => {
    const low = new Backoff({ firstMs: 1000, maxMs: 10_000, jitter: 0.5, random: () => 0 });
    const high = new Backoff({ firstMs: 1000, maxMs: 10_000, jitter: 0.5, random: () => 0.999 });
    expect(low.nextDelayMs()).toBe(500);
    expect(high.nextDelayMs()).toBe(1000);
  });

  it('starts again from the first delay after a success', () => {
    const backoff = new Backoff({ firstMs: 1000, maxMs: 10_000, jitter: 0, random: () => 0 });
    backoff.nextDelayMs();
    backoff.nextDelayMs();
    backoff.reset();
    expect(backoff.nextDelayMs()).toBe(1000);
  });

  it('never overflows however often it is asked', () => {
    const backoff = new Backoff({ firstMs: 1000, maxMs: 60_000, jitter: 0, random: () => 0 });
    for (let attempt = 0; attempt < 2000; attempt += 1) backoff.nextDelayMs();
    expect(backoff.nextDelayMs()).toBe(60_000);
  });
});
