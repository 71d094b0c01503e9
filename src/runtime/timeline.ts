import { every, type Clock, type Timer } from './clock.ts';

/** `set`: the time is known. `estimated`: nobody has set the clock since this boot; the line runs on from a guess. */
export type ClockQuality = 'set' | 'estimated';

/** The system's clock was moved, as against the time that passed. */
export interface ClockStep {
  readonly byMs: number;
}

/** How often the system's clock is compared with monotonic time where nobody asks for the time. */
const WATCH_MS = 250;
/** A smaller difference is a clock that is being slewed, or two readings a moment apart. */
const STEP_MS = 500;

/**
 * The gateway's line of time. It either follows the system's clock, or runs on by monotonic time from an offset that it was
 * given: a clock that nobody set, or that is known to be wrong, then moves no record. Timers keep to monotonic time, so no
 * step of the system's clock moves or silences one.
 */
export class Timeline implements Clock {
  readonly #system: Clock;
  /** UTC minus monotonic time, milliseconds, of the line while it does not follow. */
  #offsetMs: number;
  #isFollowing = true;
  #quality: ClockQuality = 'set';
  /** The system's UTC minus monotonic time when it was read last. */
  #seenOffsetMs: number;
  #onStep: (step: ClockStep) => void = () => undefined;
  #timer: Timer | undefined;

  /** Follows the system's clock until it is told otherwise. */
  constructor(system: Clock) {
    this.#system = system;
    this.#seenOffsetMs = system.nowMs() - system.monotonicMs();
    this.#offsetMs = this.#seenOffsetMs;
  }

  nowMs(): number {
    this.#look();
    return this.#isFollowing ? this.#system.nowMs() : Math.round(this.#offsetMs + this.#system.monotonicMs());
  }

  monotonicMs(): number {
    return this.#system.monotonicMs();
  }

  after(delayMs: number, action: () => void): Timer {
    return this.#system.after(delayMs, action);
  }

  get quality(): ClockQuality {
    return this.#quality;
  }

  /** UTC minus monotonic time of the line, milliseconds. */
  get offsetMs(): number {
    return this.#isFollowing ? this.#seenOffsetMs : this.#offsetMs;
  }

  get isFollowing(): boolean {
    return this.#isFollowing;
  }

  /** UTC minus monotonic time of the system's clock, whatever the line does. */
  get systemOffsetMs(): number {
    return this.#seenOffsetMs;
  }

  /**
   * Watches the system's clock from now on. `onStep` is called when it was moved, before the line gives any time after it: it
   * decides with `follow` or `keepTo` where the line goes. Must not throw.
   */
  watch(onStep: (step: ClockStep) => void): void {
    this.#onStep = onStep;
    this.#timer ??= every(this.#system, WATCH_MS, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#onStep = () => undefined;
  }

  /** The system's clock is right: the line is set, and goes with it. */
  follow(): void {
    this.#isFollowing = true;
    this.#quality = 'set';
  }

  /** The line goes on by monotonic time alone, from that offset. */
  keepTo(offsetMs: number, quality: ClockQuality): void {
    this.#isFollowing = false;
    this.#offsetMs = offsetMs;
    this.#quality = quality;
  }

  #look(): void {
    const offsetMs = this.#system.nowMs() - this.#system.monotonicMs();
    const byMs = offsetMs - this.#seenOffsetMs;
    const isStep = Math.abs(byMs) >= STEP_MS;
    if (isStep && this.#isFollowing) this.keepTo(this.#seenOffsetMs, this.#quality);
    this.#seenOffsetMs = offsetMs;
    if (isStep) this.#onStep({ byMs });
  }
}
