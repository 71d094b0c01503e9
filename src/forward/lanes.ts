import type { Lane } from '../model/batch.ts';
import type { Destination, LogEntry } from '../model/record.ts';
import type { LogInterval, LogStore, StreamState } from '../store/store.ts';
import { LaneReader } from './lane-reader.ts';

/** Part of the backlog lane. */
interface Span {
  readonly reader: LaneReader;
  readonly to: number;
  /** The stream's entries in it; an upper bound where they were not counted when they were committed. */
  waiting: number;
  oldestAt: number | null;
}

export interface UnsealedRest {
  readonly liveFrom: number;
  readonly backlog: readonly LogInterval[];
}

/** More separate parts than this are not made: the live lane then keeps what it has. */
const MAX_SPANS = 100;

/** When a record was accepted, as near as the record itself says. */
function acceptedAt({ record }: LogEntry): number {
  if (record.kind === 'sample') return record.receivedAt;
  return record.kind === 'aggregate' ? record.end : record.to;
}

/**
 * What a stream has not sealed yet: the live lane (everything from a position on, mostly in memory) and the backlog
 * lane (older intervals of the log). Memory is bounded whatever waits: positions and counts, and one buffer a lane.
 */
export class Lanes {
  readonly #log: Pick<LogStore, 'read' | 'revision'>;
  readonly #destination: Destination;
  readonly #capacity: number;
  #live: LaneReader;
  #spans: Span[] = [];
  #revision: number;
  /** Id after the last committed entry that was announced. */
  #head: number;
  /** Entries of the live lane that are not in memory; an upper bound after a start. */
  #unread: number;

  constructor(
    log: Pick<LogStore, 'read' | 'revision'>,
    stream: string,
    state: StreamState,
    head: number,
    capacity: number,
  ) {
    this.#log = log;
    this.#revision = log.revision();
    this.#destination = `stream:${stream}`;
    this.#capacity = capacity;
    this.#head = Math.max(head, state.liveFrom);
    this.#live = this.#reader(state.liveFrom);
    this.#unread = this.#head - state.liveFrom;
    this.#spans = state.backlog.map(({ from, to }) => ({
      reader: this.#reader(from),
      to,
      waiting: to - from,
      oldestAt: null,
    }));
  }

  get liveWaiting(): number {
    return this.#live.count + this.#unread;
  }

  get waiting(): number {
    return this.#spans.reduce((sum, { waiting }) => sum + waiting, this.liveWaiting);
  }

  get hasBacklog(): boolean {
    return this.#spans.length > 0;
  }

  /** Entries held in memory. */
  get buffered(): number {
    return this.#spans.reduce((sum, { reader }) => sum + reader.count, this.#live.count);
  }

  /** When the oldest waiting record was accepted; null when none waits or it was not read yet. */
  get oldestAt(): number | null {
    const [span] = this.#spans;
    if (span !== undefined) return span.oldestAt;
    return this.#live.oldest === undefined ? null : acceptedAt(this.#live.oldest.entry);
  }

  /** Brings the oldest waiting entry into memory where `oldestAt` does not know it. */
  async look(): Promise<void> {
    if (this.oldestAt !== null) return;
    if (this.hasBacklog) await this.#peekBacklog(1);
    else if (this.liveWaiting > 0) await this.#peekLive(1);
  }

  /** Monotonic instant since which the oldest live record waits; undefined when none does. */
  get liveSinceMs(): number | undefined {
    return this.#live.oldest?.arrivedMs ?? (this.#unread > 0 ? -Infinity : undefined);
  }

  /** Of the log when the oldest of what is in memory was read: what `sealBatch` compares. */
  get revision(): number {
    return this.#revision;
  }

  rest(): UnsealedRest {
    return {
      liveFrom: this.#live.position,
      backlog: this.#spans.map(({ reader, to }) => ({ from: reader.position, to })),
    };
  }

  /** Takes note of a commit; whether it held anything for this stream. */
  committed(entries: readonly LogEntry[], monotonicMs: number): boolean {
    const end = (entries.at(-1)?.id ?? 0) + 1;
    if (end <= this.#head) return false;
    const mine = entries.filter(({ id, to }) => id >= this.#head && to.includes(this.#destination));
    const before = this.#live.count;
    if (this.#live.scannedTo === this.#head) this.#live.offer(mine, end, monotonicMs);
    this.#unread += mine.length - (this.#live.count - before);
    this.#head = end;
    return mine.length > 0;
  }

  /** Brings up to `wanted` entries of a lane into memory and gives what is there. */
  async peek(lane: Lane, wanted: number): Promise<readonly LogEntry[]> {
    this.#reread();
    return lane === 'live' ? this.#peekLive(wanted) : this.#peekBacklog(wanted);
  }

  /** The first `count` of what `peek` gave are sealed; call it once the new rest is built from `restAfter`. */
  consume(lane: Lane, count: number): void {
    const [span] = this.#spans;
    if (lane === 'live') this.#live.consume(count);
    else if (span !== undefined) {
      span.reader.consume(count);
      span.waiting = Math.max(0, span.waiting - count);
      span.oldestAt = span.reader.oldest === undefined ? span.oldestAt : acceptedAt(span.reader.oldest.entry);
      this.#dropFinished();
    }
  }

  /** The rest as it will be after `consume(lane, count)`: what a seal commits. */
  restAfter(lane: Lane, count: number): UnsealedRest {
    const { liveFrom, backlog } = this.rest();
    if (lane === 'live') return { liveFrom: this.#live.buffered[count]?.id ?? this.#live.scannedTo, backlog };
    const [span] = this.#spans;
    if (span === undefined) return { liveFrom, backlog };
    const from = span.reader.buffered[count]?.id ?? span.reader.scannedTo;
    return { liveFrom, backlog: [...(from < span.to ? [{ from, to: span.to }] : []), ...backlog.slice(1)] };
  }

  /** Makes everything that waits in the live lane backlog, so that what comes now leaves first. */
  split(): boolean {
    if (this.#spans.length >= MAX_SPANS || this.liveWaiting === 0) return false;
    const from = this.#live.position;
    const oldest = this.#live.oldest;
    const span: Span = {
      reader: this.#reader(from),
      to: this.#head,
      waiting: this.liveWaiting,
      oldestAt: oldest === undefined ? null : acceptedAt(oldest.entry),
    };
    this.#spans.push(span);
    this.#live = this.#reader(this.#head);
    this.#unread = 0;
    return true;
  }

  /** When waiting records gave way to thinned ones, nothing in memory may be sealed. */
  #reread(): void {
    const revision = this.#log.revision();
    if (revision === this.#revision) return;
    this.#revision = revision;
    this.#unread += this.#live.reset();
    for (const { reader } of this.#spans) reader.reset();
  }

  async #peekLive(wanted: number): Promise<readonly LogEntry[]> {
    const head = this.#head;
    const added = await this.#live.fill(wanted, head);
    this.#unread = this.#live.scannedTo >= this.#head ? 0 : Math.max(0, this.#unread - added);
    return this.#live.buffered;
  }

  async #peekBacklog(wanted: number): Promise<readonly LogEntry[]> {
    for (;;) {
      const [span] = this.#spans;
      if (span === undefined) return [];
      await span.reader.fill(wanted, span.to);
      if (span.reader.oldest !== undefined) {
        span.oldestAt = acceptedAt(span.reader.oldest.entry);
        return span.reader.buffered;
      }
      this.#dropFinished();
    }
  }

  /** Spans whose rest holds nothing of this stream are done. */
  #dropFinished(): void {
    const [span] = this.#spans;
    if (span !== undefined && span.reader.position >= span.to) this.#spans = this.#spans.slice(1);
  }

  #reader(from: number): LaneReader {
    return new LaneReader(this.#log, this.#destination, from, this.#capacity);
  }
}
