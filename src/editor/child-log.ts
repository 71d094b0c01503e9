import type { Readable } from 'node:stream';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';

const MAX_LINE_CHARACTERS = 2000;
/** A foreign node that prints in a loop must not fill the journal of the gateway. */
const MAX_LINES_PER_MINUTE = 300;
const MINUTE_MS = 60_000;

/** Passes the lines that the editor process prints to the gateway's log: each cut, and so many a minute. */
export class ChildLog {
  readonly #log: Log;
  readonly #clock: Clock;
  #minuteStartMs = 0;
  #lines = 0;
  #dropped = 0;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  follow(stream: Readable, level: 'info' | 'warn'): void {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      // A line without an end is cut, not collected.
      rest = (lines.pop() ?? '').slice(0, MAX_LINE_CHARACTERS);
      for (const line of lines) this.#write(line.trim(), level);
    });
    stream.on('end', () => this.#write(rest.trim(), level));
  }

  #write(line: string, level: 'info' | 'warn'): void {
    if (line === '') return;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#minuteStartMs >= MINUTE_MS) {
      if (this.#dropped > 0) this.#log.warn({ dropped: this.#dropped }, 'lines of the editor were dropped');
      this.#minuteStartMs = nowMs;
      this.#lines = 0;
      this.#dropped = 0;
    }
    this.#lines += 1;
    if (this.#lines > MAX_LINES_PER_MINUTE) this.#dropped += 1;
    else this.#log[level]({ line: line.slice(0, MAX_LINE_CHARACTERS) }, 'editor');
  }
}
