/** Bytes that come this soon after opening may be the middle of a line: the sensor was speaking already. */
export const TORN_WINDOW_MS = 100;
/** Of what is thrown away, this much is shown. */
const MAX_EXCERPT_BYTES = 200;

/**
 * Throws away what a port gives before its first delimiter, when it was opened while the sensor spoke: the end of `LAeq=61.2`
 * reads as a number too. A port that was quiet when it was opened loses nothing.
 */
export class TornStart {
  readonly #delimiter: Buffer;
  #tail: Buffer = Buffer.alloc(0);
  #excerpt: Buffer = Buffer.alloc(0);

  constructor(delimiter: Buffer) {
    this.#delimiter = delimiter;
  }

  /** What was thrown away, at most its first 200 bytes. */
  get discarded(): Buffer {
    return this.#excerpt;
  }

  /** The bytes after the first delimiter; undefined while it has not come. */
  push(bytes: Buffer): Buffer | undefined {
    const joined = Buffer.concat([this.#tail, bytes]);
    const at = joined.indexOf(this.#delimiter);
    const torn = at < 0 ? bytes : joined.subarray(this.#tail.length, Math.max(this.#tail.length, at));
    this.#excerpt = Buffer.concat([this.#excerpt, torn]).subarray(0, MAX_EXCERPT_BYTES);
    if (at >= 0) return joined.subarray(at + this.#delimiter.length);
    // A delimiter may be split between two reads.
    this.#tail = joined.subarray(Math.max(0, joined.length - this.#delimiter.length + 1));
    return undefined;
  }
}
