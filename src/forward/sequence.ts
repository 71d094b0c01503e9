/** Numbers `from..to`, both included, that a receiver misses. */
export interface MissingRange {
  readonly from: number;
  readonly to: number;
  /** Monotonic; not asked for before. */
  readonly askAtMs: number;
  /** How often it was asked for. */
  readonly asked: number;
}

const MAX_ASK_DELAY_MS = 300_000;
const MAX_HASHES = 1000;

/** Which numbers of one (gateway, stream, epoch) a receiver has, and which it misses. */
export class Sequence {
  readonly #askAfterMs: number;
  readonly #hashes = new Map<number, string>();
  #missing: MissingRange[] = [];
  #first: number | undefined;
  #last = 0;

  constructor(askAfterMs: number) {
    this.#askAfterMs = askAfterMs;
  }

  get missing(): readonly MissingRange[] {
    return this.#missing;
  }

  /** `new` for the first body of a number, `repeat` for the same one again, `conflict` for another body under it. */
  classify(seq: number, sha256: string): 'new' | 'repeat' | 'conflict' {
    const outside = this.#first === undefined || seq < this.#first || seq > this.#last;
    if (outside || this.#missing.some(({ from, to }) => seq >= from && seq <= to)) return 'new';
    const known = this.#hashes.get(seq);
    return known !== undefined && known !== sha256 ? 'conflict' : 'repeat';
  }

  /** Notes that an expected number is safely kept. */
  take(seq: number, sha256: string): void {
    this.#without(seq, seq);
    this.#hashes.set(seq, sha256);
    const [oldest] = this.#hashes.keys();
    if (this.#hashes.size > MAX_HASHES && oldest !== undefined) this.#hashes.delete(oldest);
  }

  /** Notes that numbers `from..to` exist: those not known yet, and what lies between, are missing. */
  expect(from: number, to: number, nowMs: number): void {
    if (from > to) return;
    const gap = { askAtMs: nowMs + this.#askAfterMs, asked: 0 };
    if (this.#first === undefined) {
      this.#first = from;
      this.#last = to;
      this.#missing = [{ from, to, ...gap }];
      return;
    }
    if (from < this.#first) this.#missing.unshift({ from, to: this.#first - 1, ...gap });
    if (to > this.#last) this.#missing.push({ from: this.#last + 1, to, ...gap });
    this.#first = Math.min(this.#first, from);
    this.#last = Math.max(this.#last, to);
  }

  /** Starts behind a number: everything up to it is of no interest. */
  startAfter(seq: number): void {
    this.#first ??= seq + 1;
    this.#last = Math.max(this.#last, seq);
  }

  /** The highest number known to exist; 0 when none is. */
  get last(): number {
    return this.#last;
  }

  get started(): boolean {
    return this.#first !== undefined;
  }

  /** Gives up numbers that will not come; how many of them were missing. */
  giveUp(from: number, to: number): number {
    return this.#without(from, to);
  }

  /** The next range to ask for; noting it as asked, the next time after a doubled delay. */
  ask(nowMs: number, maxNumbers: number): MissingRange | undefined {
    const due = this.#missing.find(({ askAtMs }) => askAtMs <= nowMs);
    if (due === undefined) return undefined;
    const to = Math.min(due.to, due.from + maxNumbers - 1);
    const asked = due.asked + 1;
    const askAtMs = nowMs + Math.min(MAX_ASK_DELAY_MS, this.#askAfterMs * 2 ** Math.min(asked, 10));
    const rest = to < due.to ? [{ ...due, from: to + 1 }] : [];
    this.#missing.splice(this.#missing.indexOf(due), 1, { from: due.from, to, asked, askAtMs }, ...rest);
    return { from: due.from, to, asked, askAtMs };
  }

  #without(from: number, to: number): number {
    let removed = 0;
    this.#missing = this.#missing.flatMap((range) => {
      if (to < range.from || from > range.to) return [range];
      removed += Math.min(to, range.to) - Math.max(from, range.from) + 1;
      return [
        ...(range.from < from ? [{ ...range, to: from - 1 }] : []),
        ...(range.to > to ? [{ ...range, from: to + 1 }] : []),
      ];
    });
    return removed;
  }
}
