/** Time comes in through this seam: nothing outside this file calls `Date.now`, `process.hrtime` or `setTimeout`. */
export interface Clock {
  /** Wall clock, UTC epoch milliseconds, whole; it steps with NTP. */
  nowMs(): number;
  /** Milliseconds since boot: never steps, comparable over restarts of the process within one boot. */
  monotonicMs(): number;
  /** Calls `action` once, `delayMs` of monotonic time from now. The timer does not keep the process alive by itself. */
  after(delayMs: number, action: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => Number(process.hrtime.bigint() / 1000n) / 1000,
  after(delayMs, action) {
    const timeout = setTimeout(action, Math.min(Math.max(delayMs, 0), MAX_TIMEOUT_MS));
    timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};

/** Calls `action` every `periodMs`, the next time counted from the end of the call before; `cancel` stops it. */
export function every(clock: Clock, periodMs: number, action: () => void): Timer {
  let timer: Timer;
  const arm = (): void => {
    timer = clock.after(periodMs, () => {
      arm();
      action();
    });
  };
  arm();
  return { cancel: () => timer.cancel() };
}

/** Resolves after `delayMs`. */
export const sleep = (clock: Clock, delayMs: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
