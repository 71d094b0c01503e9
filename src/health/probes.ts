import { every, type Clock } from '../runtime/clock.ts';
import type { Probe } from './watchdog.ts';

export interface StillnessOptions {
  readonly name: string;
  /** How long work may wait now without anything getting done. */
  readonly maxStillMs: () => number;
  /** Whether there is work to do now. */
  readonly hasWork: () => boolean;
  /** Any value that changes when something got done, or when what keeps the stage waiting is known and outside of it. */
  readonly mark: () => string | number;
}

/** Work waits and the mark stands still for too long. */
export function stillnessProbe({ name, maxStillMs, hasWork, mark }: StillnessOptions): Probe {
  let lastMark: string | number | undefined;
  let movedMs = 0;
  return {
    name,
    isProgressing(nowMs) {
      const current = mark();
      if (current !== lastMark || !hasWork()) {
        lastMark = current;
        movedMs = nowMs;
      }
      return nowMs - movedMs <= maxStillMs();
    },
  };
}

const BEAT_MS = 1000;

/**
 * The event loop turns late: a beat of one second came more than `maxLagMs` after its time since the probe was asked last.
 * It beats as long as the process lives.
 */
export function loopLagProbe(clock: Clock, maxLagMs: number): Probe {
  let beatMs = clock.monotonicMs();
  let worstMs = 0;
  const note = (nowMs: number): void => {
    worstMs = Math.max(worstMs, nowMs - beatMs - BEAT_MS);
    beatMs = nowMs;
  };
  every(clock, BEAT_MS, () => note(clock.monotonicMs()));
  return {
    name: 'event loop',
    isProgressing(nowMs) {
      const lagMs = Math.max(worstMs, nowMs - beatMs - BEAT_MS);
      worstMs = 0;
      return lagMs <= maxLagMs;
    },
  };
}
