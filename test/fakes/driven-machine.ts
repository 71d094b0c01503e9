import { systemClock, type Clock, type Timer } from '../../src/runtime/clock.ts';
import type { MachineTime } from '../../src/wiring/machine-time.ts';

/** A machine whose wall clock, boot and time service a test sets; monotonic time and timers are the real ones. */
export class DrivenMachine implements Clock, MachineTime {
  /** What the wall clock is wrong by. */
  offsetMs = 0;
  boot = 'boot-1';
  service: boolean | null = null;

  nowMs(): number {
    return systemClock.nowMs() + this.offsetMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  after(delayMs: number, action: () => void): Timer {
    return systemClock.after(delayMs, action);
  }

  bootId(): string {
    return this.boot;
  }

  synchronized(): Promise<boolean | null> {
    return Promise.resolve(this.service);
  }

  /** Puts the wall clock to that instant. */
  put(at: number): void {
    this.offsetMs = at - systemClock.nowMs();
  }
}
