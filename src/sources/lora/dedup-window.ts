import type { Clock, Timer } from '../../runtime/clock.ts';
import type { HeardFrame } from './heard-frame.ts';

interface Waiting<T> {
  frame: HeardFrame;
  readonly of: T;
  readonly dueMs: number;
}

const MAX_WAITING = 1024;

const keyOf = (phyPayload: Uint8Array): string =>
  Buffer.from(phyPayload.buffer, phyPayload.byteOffset, phyPayload.byteLength).toString('latin1');

/** Strength for choosing among receptions of one frame: SNR decides, then RSSI. */
function isBetter(a: HeardFrame, b: HeardFrame): boolean {
  const snr = (frame: HeardFrame): number => frame.reception.snrDb ?? Number.NEGATIVE_INFINITY;
  const rssi = (frame: HeardFrame): number => frame.reception.rssiDbm ?? Number.NEGATIVE_INFINITY;
  return snr(a) === snr(b) ? rssi(a) > rssi(b) : snr(a) > snr(b);
}

/**
 * Holds each frame for a moment, so that what other antennas and concentrators heard of it merges into it, then hands them
 * over together. At its bound the oldest leave early: a frame is never lost here.
 */
export class DedupWindow<T> {
  readonly #windowMs: number;
  readonly #clock: Clock;
  readonly #handOver: (frames: readonly { readonly frame: HeardFrame; readonly of: T }[]) => void;
  readonly #waiting = new Map<string, Waiting<T>>();
  #timer: Timer | null = null;

  constructor(
    windowMs: number,
    clock: Clock,
    handOver: (frames: readonly { readonly frame: HeardFrame; readonly of: T }[]) => void,
  ) {
    this.#windowMs = windowMs;
    this.#clock = clock;
    this.#handOver = handOver;
  }

  /** True when this very frame is waiting already: the better reception of the two stays, the first instant too. */
  merge(frame: HeardFrame): boolean {
    const waiting = this.#waiting.get(keyOf(frame.phyPayload));
    if (waiting === undefined) return false;
    if (isBetter(frame, waiting.frame)) waiting.frame = { ...frame, receivedAt: waiting.frame.receivedAt };
    return true;
  }

  add(frame: HeardFrame, of: T): void {
    const dueMs = this.#clock.monotonicMs() + this.#windowMs;
    this.#waiting.set(keyOf(frame.phyPayload), { frame, of, dueMs });
    if (this.#waiting.size > MAX_WAITING) this.#release(this.#waiting.size - MAX_WAITING, Number.POSITIVE_INFINITY);
    this.#arm();
  }

  /** Hands over everything now. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#release(this.#waiting.size, Number.POSITIVE_INFINITY);
  }

  #arm(): void {
    if (this.#timer !== null) return;
    const oldest = this.#waiting.values().next();
    if (oldest.done === true) return;
    this.#timer = this.#clock.after(oldest.value.dueMs - this.#clock.monotonicMs(), () => {
      this.#timer = null;
      this.#release(this.#waiting.size, this.#clock.monotonicMs());
      this.#arm();
    });
  }

  /** Frames are in the order of their due time. */
  #release(limit: number, untilMs: number): void {
    const due: Waiting<T>[] = [];
    for (const [key, waiting] of this.#waiting) {
      if (due.length >= limit || waiting.dueMs > untilMs) break;
      this.#waiting.delete(key);
      due.push(waiting);
    }
    if (due.length > 0) this.#handOver(due);
  }
}
