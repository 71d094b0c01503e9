/** The codes that MQTT 5 §3.4.2.1 allows in a PUBACK. */
const ALLOWED: ReadonlySet<number> = new Set([0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]);
const UNSPECIFIED = 0x80;
const PUBACK = 4;
const MAX_KEPT = 1000;

/**
 * Follows the bytes that come from a broker up to the reason codes of its PUBACKs. Brokers answer with codes that are
 * not allowed there (Mosquitto: 0x95, Packet too large, for its `message_size_limit`), and the library then cannot read
 * anything on this connection any more: such a code is kept here, and 0x80 put in its place.
 */
export class PubackCodes {
  readonly #kept = new Map<number, number>();
  #phase: 'type' | 'length' | 'rest' = 'type';
  #type = 0;
  #length = 0;
  #shift = 0;
  /** Position behind the fixed header. */
  #offset = 0;
  #messageId = 0;

  /** Takes the code that was kept for a publish. */
  take(messageId: number): number | undefined {
    const code = this.#kept.get(messageId);
    this.#kept.delete(messageId);
    return code;
  }

  /** To be called with all bytes, in order, before anybody else reads them; changes them in place. */
  read(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) at += this.#phase === 'rest' ? this.#rest(chunk, at) : this.#head(chunk[at] ?? 0);
  }

  #head(byte: number): number {
    if (this.#phase === 'type') {
      this.#type = byte >> 4;
      this.#length = 0;
      this.#shift = 0;
      this.#offset = 0;
      this.#phase = 'length';
      return 1;
    }
    this.#length += (byte & 0x7f) * 2 ** this.#shift;
    this.#shift += 7;
    if (byte < 0x80) this.#phase = this.#length === 0 ? 'type' : 'rest';
    return 1;
  }

  /** How many bytes of `chunk` from `at` on it passed. */
  #rest(chunk: Uint8Array, at: number): number {
    const isRead = this.#type === PUBACK && this.#offset < 3;
    const passed = isRead ? 1 : Math.min(this.#length - this.#offset, chunk.length - at);
    if (isRead) this.#pubackByte(chunk, at);
    this.#offset += passed;
    if (this.#offset >= this.#length) this.#phase = 'type';
    return passed;
  }

  #pubackByte(chunk: Uint8Array, at: number): void {
    const byte = chunk[at] ?? 0;
    if (this.#offset === 0) this.#messageId = byte * 256;
    else if (this.#offset === 1) this.#messageId += byte;
    else if (!ALLOWED.has(byte)) {
      if (this.#kept.size < MAX_KEPT) this.#kept.set(this.#messageId, byte);
      chunk[at] = UNSPECIFIED;
    }
  }
}
