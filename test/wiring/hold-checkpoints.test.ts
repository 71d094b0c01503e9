import { expect, it } from 'vitest';
import { HoldCheckpoints, LONGEST_HOLD_MS } from '../../src/wiring/hold-checkpoints.ts';

it('lets go of what has waited a day, in portions of ten minutes', () => {
  const checkpoints = new HoldCheckpoints({ id: 1, monotonicMs: 0 });
  expect(checkpoints.takeOld(1000)).toBeUndefined();
  // A record a second.
  for (let second = 1; second <= 86_400 + 3600; second += 1)
    checkpoints.note({ id: 1 + second, monotonicMs: second * 1000 });
  expect(checkpoints.takeOld(LONGEST_HOLD_MS)).toEqual({ id: 1, monotonicMs: 0 });
  expect(checkpoints.takeOld(LONGEST_HOLD_MS + 1_300_000)).toEqual({ id: 1201, monotonicMs: 1_200_000 });
});
