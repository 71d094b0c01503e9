/**
 * The bound before the readline parser: passes whole lines only, and drops a line that is longer than allowed as a
 * whole, up to its delimiter. Memory is O(maxFrameBytes) and time linear, whatever comes in; the parser behind it,
 * which has no bound of its own and would glue a stale half-line to the next one, never holds anything between reads.
 */
export class ByteGuard {
  readonly #delimiter: Buffer;
  readonly #maxFrameBytes: number;
  readonly #events: GuardEvents;
  readonly #held: Buffer;
  #heldBytes = 0;
  #isSkipping = false;

  constructor(delimiter: Buffer, maxFrameBytes: number, events: GuardEvents) {
    this.#delimiter = delimiter;
    this.#maxFrameBytes = maxFrameBytes;
    this.#events = events;
    this.#held = Buffer.allocUnsafe(maxFrameBytes + delimiter.length);
  }

  /** Buffers of one or more whole lines, each line with its delimiter; a view of `chunk` where that is possible. */
  push(chunk: Buffer): Buffer[] {
    const passed: Buffer[] = [];
    let from = this.#endHeldLine(chunk, passed);
    let runStart = from;
    for (;;) {
      const at = chunk.indexOf(this.#delimiter, from);
      if (at === -1) break;
      const to = at + this.#delimiter.length;
      if (!this.#allows(chunk.subarray(from, at))) {
        if (runStart < from) passed.push(chunk.subarray(runStart, from));
        runStart = to;
      }
      from = to;
    }
    if (runStart < from) passed.push(chunk.subarray(runStart, from));
    this.#hold(chunk.subarray(from));
    return passed;
  }

  /** Forgets the half-line, at the end of a connection, and returns a copy of it; null when there is none. */
  reset(): Buffer | null {
    const rest = this.#heldBytes > 0 && !this.#isSkipping ? Buffer.from(this.#held.subarray(0, this.#heldBytes)) : null;
    this.#heldBytes = 0;
    this.#isSkipping = false;
    return rest;
  }

  /** Ends the line that began in an earlier chunk, if this one ends it; returns how many bytes of `chunk` it took. */
  #endHeldLine(chunk: Buffer, passed: Buffer[]): number {
    if (this.#heldBytes === 0) return 0;
    const to = this.#firstLineEnd(chunk);
    if (to === -1) {
      this.#hold(chunk);
      return chunk.length;
    }
    const lineBytes = this.#heldBytes + to - this.#delimiter.length;
    if (this.#isSkipping) this.#events.onDiscarded(to);
    else {
      const line = Buffer.concat([this.#held.subarray(0, this.#heldBytes), chunk.subarray(0, to)]);
      if (this.#allows(line.subarray(0, lineBytes))) passed.push(line);
    }
    this.#heldBytes = 0;
    this.#isSkipping = false;
    return to;
  }

  /** Where in `chunk` the line that began before it ends, with its delimiter, which may itself have begun before it; -1: nowhere. */
  #firstLineEnd(chunk: Buffer): number {
    const size = this.#delimiter.length;
    const tail = this.#held.subarray(Math.max(0, this.#heldBytes - size + 1), this.#heldBytes);
    const crossing = size === 1 ? -1 : Buffer.concat([tail, chunk.subarray(0, size - 1)]).indexOf(this.#delimiter);
    if (crossing !== -1) return crossing + size - tail.length;
    const at = chunk.indexOf(this.#delimiter);
    return at === -1 ? -1 : at + size;
  }

  #allows(line: Buffer): boolean {
    if (line.length > this.#maxFrameBytes) {
      this.#events.onTooLong(line);
      this.#events.onDiscarded(line.length + this.#delimiter.length);
      return false;
    }
    if (line.length === 0 || (line.length === 1 && line[0] === CARRIAGE_RETURN)) {
      this.#events.onEmpty();
      return false;
    }
    return true;
  }

  /** Keeps the unfinished line; once it cannot become a line of allowed length any more, only the end that may begin a delimiter. */
  #hold(rest: Buffer): void {
    if (rest.length === 0) return;
    const total = this.#heldBytes + rest.length;
    if (!this.#isSkipping && total < this.#maxFrameBytes + this.#delimiter.length) {
      this.#heldBytes += rest.copy(this.#held, this.#heldBytes);
      return;
    }
    if (this.#isSkipping) this.#events.onDiscarded(rest.length);
    else {
      const begin = Buffer.concat([this.#held.subarray(0, this.#heldBytes), rest.subarray(0, this.#maxFrameBytes)]);
      this.#events.onTooLong(begin);
      this.#events.onDiscarded(total);
    }
    this.#isSkipping = true;
    this.#heldBytes = this.#keepTail(rest);
  }

  /** At least one byte stays, so that `#heldBytes > 0` says that a line is open. */
  #keepTail(rest: Buffer): number {
    const keep = Math.max(1, this.#delimiter.length - 1);
    const tail = Buffer.concat([
      this.#held.subarray(Math.max(0, this.#heldBytes - keep), this.#heldBytes),
      rest.subarray(Math.max(0, rest.length - keep)),
    ]);
    return tail.subarray(Math.max(0, tail.length - keep)).copy(this.#held);
  }
}

const CARRIAGE_RETURN = 0x0d;

export interface GuardEvents {
  /** A line exceeded the bound: its beginning. Called once a line, as soon as that is known. */
  onTooLong(begin: Buffer): void;
  /** Bytes of over-long lines that were thrown away, delimiter included. */
  onDiscarded(bytes: number): void;
  onEmpty(): void;
}
