import { crc32 } from 'node:zlib';
import type { Uplink } from '../model/frame.ts';

/**
 * Two identical frames this close together are one frame heard twice: by another concentrator, by a retransmission, from
 * a forwarder's buffer. Later ones are a device that began to count anew (ABP, relaxed counter) and says the same again.
 */
export const DUPLICATE_WITHIN_MS = 3_600_000;
export const MAX_HEARD_FRAMES = 8192;

interface Heard {
  readonly receivedAt: number;
  /** Of the PHYPayload, which ends in its own 32-bit MIC. */
  readonly crc: number;
  /** Settles with the transaction that holds the frame. */
  readonly stored: Promise<unknown>;
}

/** Frames accepted lately, by device, address and counter: what tells a duplicate without an index on the uplinks. */
export class HeardFrames {
  readonly #heard = new Map<string, Heard>();

  /** The earlier frame that this one repeats. */
  find(uplink: Uplink): Heard | undefined {
    const heard = this.#heard.get(keyOf(uplink));
    if (heard === undefined || Math.abs(uplink.receivedAt - heard.receivedAt) > DUPLICATE_WITHIN_MS) return undefined;
    return heard.crc === crc32(uplink.phyPayload) ? heard : undefined;
  }

  add(uplink: Uplink, stored: Promise<unknown>): void {
    const key = keyOf(uplink);
    this.#heard.delete(key);
    this.#heard.set(key, { receivedAt: uplink.receivedAt, crc: crc32(uplink.phyPayload), stored });
    const [oldest] = this.#heard.keys();
    if (this.#heard.size > MAX_HEARD_FRAMES && oldest !== undefined) this.#heard.delete(oldest);
  }

  /** The frame was not stored after all. */
  forget(uplink: Uplink, stored: Promise<unknown>): void {
    if (this.#heard.get(keyOf(uplink))?.stored === stored) this.#heard.delete(keyOf(uplink));
  }
}

const keyOf = ({ device, devAddr, fCnt }: Uplink): string => `${device} ${devAddr} ${fCnt}`;
