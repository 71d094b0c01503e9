import { readFileSync } from 'node:fs';
import { systemClock, type Clock } from './clock.ts';

/** What a fault trial says of the machine's time. */
interface Drive {
  /** What the wall clock is wrong by. */
  readonly offsetMs: number;
  readonly bootId: string;
  readonly synchronized: boolean | null;
}

/** The file is read again after this long. */
const FRESH_MS = 20;

/** A machine whose wall clock, boot and time service are driven by a file (`CIGALE_DRIVEN_CLOCK`): for fault trials, which cannot set the clock of the machine that they run on. */
export class DrivenClock implements Clock {
  readonly #file: string;
  #drive: Drive = { offsetMs: 0, bootId: '', synchronized: null };
  #readMs = Number.NEGATIVE_INFINITY;

  constructor(file: string) {
    this.#file = file;
  }

  nowMs(): number {
    return systemClock.nowMs() + this.#current().offsetMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  after(delayMs: number, action: () => void): ReturnType<Clock['after']> {
    return systemClock.after(delayMs, action);
  }

  bootId(): string {
    return this.#current().bootId;
  }

  synchronized(): Promise<boolean | null> {
    return Promise.resolve(this.#current().synchronized);
  }

  /** The trial puts a new file in place of the old one, so that none is read half. */
  #current(): Drive {
    const nowMs = systemClock.monotonicMs();
    if (nowMs - this.#readMs >= FRESH_MS) {
      this.#drive = JSON.parse(readFileSync(this.#file, 'utf8')) as Drive;
      this.#readMs = nowMs;
    }
    return this.#drive;
  }
}
