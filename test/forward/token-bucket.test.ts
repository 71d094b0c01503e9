import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../src/forward/token-bucket.ts';

const RATE = 500;

/** Spends whenever it may, with a timer that is `lateMs` late; the instants and amounts. */
function drain(amounts: readonly number[], lateMs: (turn: number) => number, idleMs = 0): [number, number][] {
  let nowMs = 0;
  const bucket = new TokenBucket({ monotonicMs: () => nowMs }, RATE);
  const spent: [number, number][] = [];
  for (const [turn, amount] of amounts.entries()) {
    nowMs += bucket.waitMs() + lateMs(turn) + (turn === Math.floor(amounts.length / 2) ? idleMs : 0);
    bucket.spend(amount);
    spent.push([nowMs, amount]);
  }
  return spent;
}

const amountsOf = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 2, maxLength: 60 });

describe('the rate of the backlog', () => {
  it('is kept over any stretch of time, but for one batch and one second, even after an idle time', () => {
    fc.assert(
      fc.property(amountsOf, fc.nat({ max: 3_600_000 }), fc.nat({ max: 3000 }), (amounts, idleMs, lateMs) => {
        const spent = drain(amounts, () => lateMs, idleMs);
        for (let from = 0; from < spent.length; from += 1) {
          let sum = 0;
          for (let to = from; to < spent.length; to += 1) {
            sum += spent[to]![1];
            const seconds = (spent[to]![0] - spent[from]![0]) / 1000;
            expect(sum).toBeLessThanOrEqual(RATE * (seconds + 1.01) + spent[to]![1]);
          }
        }
      }),
    );
  });

  it('is reached although timers and commits are late', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 1000 }), fc.nat({ max: 150 }), (amount, lateMs) => {
        const amounts = Array.from({ length: 50 }, () => amount);
        const spent = drain(amounts, () => lateMs);
        const [lastMs] = spent.at(-1)!;
        expect(lastMs).toBeLessThanOrEqual((49 * amount * 1000) / RATE + 2 * lateMs);
      }),
    );
  });
});
