import { ReadlineParser } from '@serialport/parser-readline';
import type { LineFrame, RejectReason, Rejection } from '../../model/frame.ts';
import { boundedDetail, excerptOf } from '../../model/excerpt.ts';
import { ByteGuard } from './byte-guard.ts';

const LINE_FEED = '\n';
const CARRIAGE_RETURN = 0x0d;

export interface FramerEvents {
  /** All lines that one read completed. */
  onFrames(frames: readonly LineFrame[]): void;
  onRejected(rejection: Rejection): void;
  onEmpty(): void;
  onDiscarded(bytes: number): void;
}

/**
 * Bytes of one connection -> lines. With the delimiter LF a CR before it is taken off too. Bytes are passed as they
 * are: the parser runs without an encoding, so what is not text reaches the decoder as it came.
 */
export class LineFramer {
  readonly #delimiter: string;
  readonly #events: FramerEvents;
  readonly #guard: ByteGuard;
  readonly #parser: ReadlineParser;
  #receivedAt = 0;
  #pending: LineFrame[] = [];

  constructor(delimiter: string, maxFrameBytes: number, events: FramerEvents) {
    const bytes = Buffer.from(delimiter, 'latin1');
    this.#delimiter = delimiter;
    this.#events = events;
    this.#guard = new ByteGuard(bytes, maxFrameBytes, {
      onTooLong: (begin) => this.#reject('too-long', `${this.#missing()} within ${maxFrameBytes} bytes`, begin),
      onDiscarded: (count) => events.onDiscarded(count),
      onEmpty: () => events.onEmpty(),
    });
    this.#parser = new ReadlineParser({ delimiter: bytes, ...AS_BYTES });
    this.#parser.on('data', (line: Buffer) => this.#collect(line));
  }

  push(bytes: Buffer, receivedAt: number): void {
    this.#receivedAt = receivedAt;
    for (const lines of this.#guard.push(bytes)) this.#parser.write(lines);
  }

  /** The connection is over: what it left of a line is worth nothing, and must not begin the next one's first line. */
  end(receivedAt: number): void {
    this.#receivedAt = receivedAt;
    const rest = this.#guard.reset();
    if (rest !== null) this.#reject('stale', 'the connection ended within this line', rest);
  }

  /** The parser gives the lines of one read in one go; they are handed on together once it is done. */
  #collect(line: Buffer): void {
    const isEndedByBoth = this.#delimiter === LINE_FEED && line.at(-1) === CARRIAGE_RETURN;
    const bytes = isEndedByBoth ? line.subarray(0, -1) : line;
    if (this.#pending.length === 0) queueMicrotask(() => this.#flush());
    this.#pending.push({ bytes, receivedAt: this.#receivedAt });
  }

  #flush(): void {
    const frames = this.#pending;
    this.#pending = [];
    this.#events.onFrames(frames);
  }

  #missing(): string {
    return `no delimiter ${JSON.stringify(this.#delimiter)}`;
  }

  #reject(reason: RejectReason, detail: string, bytes: Buffer): void {
    const at = this.#receivedAt;
    this.#events.onRejected({ reason, detail: boundedDetail(detail), excerpt: excerptOf(bytes), receivedAt: at });
  }
}

/** `encoding: undefined` is what makes the parser give Buffers; its option type only knows encodings, hence the cast. */
const AS_BYTES = { encoding: undefined } as unknown as { encoding: 'latin1' };
