import type { Batch, ParkedRecord } from '../../src/model/batch.ts';
import type { Destination, LogEntry, NewEntry } from '../../src/model/record.ts';
import { GatewayError } from '../../src/runtime/errors.ts';
import type {
  BatchReplacement,
  LogInterval,
  LogRange,
  LogStore,
  OutboxStore,
  StreamState,
} from '../../src/store/store.ts';

interface Kept {
  readonly batch: Batch;
  acknowledgedAt: number | null;
}

interface Outbox {
  rest: { readonly liveFrom: number; readonly backlog: readonly LogInterval[] };
  lastSeq: number;
  readonly createdAt: number;
  readonly batches: Map<number, Kept>;
  readonly parked: ParkedRecord[];
}

export type OutboxFault = 'refuses' | 'commits-and-fails';

/** What is on disk: log and outboxes in memory. Each `process()` is one life of a gateway on it. */
export class MemoryOutbox {
  readonly epoch = '01KACIGALETEST000000000000';
  readonly entries: LogEntry[] = [];
  readonly outboxes = new Map<string, Outbox>();
  readonly listeners = new Set<(entries: readonly LogEntry[]) => void>();
  /** Fault of the next seal. */
  sealFault: OutboxFault | null = null;
  /** Fault of the next replacement. */
  replaceFault: OutboxFault | null = null;
  moves = 0;
  /** Called with every seq that is marked acknowledged, before it is. */
  onAcknowledge: (seq: number) => void = () => undefined;

  commit(entries: readonly NewEntry[]): readonly LogEntry[] {
    const committed = entries.map((entry, index) => ({ ...entry, id: this.entries.length + 1 + index }));
    for (const entry of committed) this.entries.push(entry);
    for (const listener of this.listeners) listener(committed);
    return committed;
  }

  process(): OutboxProcess {
    return new OutboxProcess(this);
  }

  sealed(stream: string): readonly Batch[] {
    return [...(this.outboxes.get(stream)?.batches.values() ?? [])].map(({ batch }) => batch);
  }

  unacknowledgedSeqs(stream: string): readonly number[] {
    const batches = [...(this.outboxes.get(stream)?.batches.values() ?? [])];
    return batches.filter(({ acknowledgedAt }) => acknowledgedAt === null).map(({ batch }) => batch.seq);
  }

  forget(stream: string, seq: number): void {
    this.outboxes.get(stream)?.batches.delete(seq);
  }
}

/** A store as one process sees it; after `kill` nothing it does reaches the disk, and it is told nothing any more. */
export class OutboxProcess implements LogStore, OutboxStore {
  readonly #disk: MemoryOutbox;
  readonly #mine = new Set<(entries: readonly LogEntry[]) => void>();
  #alive = true;

  constructor(disk: MemoryOutbox) {
    this.#disk = disk;
  }

  get epoch(): string {
    return this.#disk.epoch;
  }

  kill(): void {
    this.#alive = false;
    for (const listener of this.#mine) this.#disk.listeners.delete(listener);
  }

  async append(entries: readonly NewEntry[]): Promise<readonly LogEntry[]> {
    await this.#turn();
    return this.#disk.commit(entries);
  }

  head(): number {
    return this.#disk.entries.length + 1;
  }

  revision(): number {
    return 0;
  }

  async read(from: number, limit: number): Promise<readonly LogEntry[]> {
    await this.#turn();
    return this.#disk.entries.slice(from - 1, from - 1 + limit);
  }

  readRange(_range: LogRange): AsyncIterable<readonly LogEntry[]> {
    throw new Error('a sender does not read by time');
  }

  onCommitted(listener: (entries: readonly LogEntry[]) => void): () => void {
    this.#mine.add(listener);
    this.#disk.listeners.add(listener);
    return () => this.#disk.listeners.delete(listener);
  }

  async listStreams(): Promise<readonly StreamState[]> {
    await this.#turn();
    return [...this.#disk.outboxes.keys()].map((stream) => this.#state(stream, 0));
  }

  async openStream(stream: string, nowMs: number): Promise<StreamState> {
    await this.#turn();
    return this.#state(stream, nowMs);
  }

  async sealBatch(batch: Batch, rest: { liveFrom: number; backlog: readonly LogInterval[] }): Promise<boolean> {
    await this.#turn();
    const fault = this.#disk.sealFault;
    this.#disk.sealFault = null;
    if (fault === 'refuses') throw new GatewayError('STORE_IO', 'injected');
    const outbox = this.#outbox(batch.stream);
    if (batch.seq !== outbox.lastSeq + 1) throw new Error(`sealed ${batch.seq} after ${outbox.lastSeq}`);
    outbox.lastSeq = batch.seq;
    outbox.rest = rest;
    outbox.batches.set(batch.seq, { batch, acknowledgedAt: null });
    if (fault === 'commits-and-fails') throw new GatewayError('STORE_IO', 'injected');
    return true;
  }

  async replaceBatch({ empty, parts, parked }: BatchReplacement): Promise<void> {
    await this.#turn();
    const fault = this.#disk.replaceFault;
    this.#disk.replaceFault = null;
    if (fault === 'refuses') throw new GatewayError('STORE_IO', 'injected');
    const outbox = this.#outbox(empty.stream);
    const kept = outbox.batches.get(empty.seq);
    if (kept?.acknowledgedAt !== null) throw new Error(`replaced ${empty.seq}, which is not open`);
    for (const [index, { seq }] of parts.entries())
      if (seq !== outbox.lastSeq + 1 + index) throw new Error(`sealed ${seq} after ${outbox.lastSeq}`);
    for (const batch of [empty, ...parts]) outbox.batches.set(batch.seq, { batch, acknowledgedAt: null });
    outbox.lastSeq += parts.length;
    if (parked !== null) outbox.parked.push(parked);
    if (fault === 'commits-and-fails') throw new GatewayError('STORE_IO', 'injected');
  }

  async parkedRecords(stream: string, limit: number): Promise<readonly ParkedRecord[]> {
    await this.#turn();
    return this.#outbox(stream).parked.slice(0, limit);
  }

  async moveStream(stream: string, rest: { liveFrom: number; backlog: readonly LogInterval[] }): Promise<void> {
    await this.#turn();
    this.#disk.moves += 1;
    this.#outbox(stream).rest = rest;
  }

  async unacknowledged(stream: string, afterSeq: number, limit: number): Promise<readonly Batch[]> {
    await this.#turn();
    return [...this.#outbox(stream).batches.values()]
      .filter(({ batch, acknowledgedAt }) => acknowledgedAt === null && batch.seq > afterSeq)
      .slice(0, limit)
      .map(({ batch }) => batch);
  }

  async batches(stream: string, fromSeq: number, toSeq: number, limit: number): Promise<readonly Batch[]> {
    await this.#turn();
    return [...this.#outbox(stream).batches.values()]
      .map(({ batch }) => batch)
      .filter(({ seq }) => seq >= fromSeq && seq <= toSeq)
      .slice(0, limit);
  }

  async acknowledge(stream: string, seq: number, atMs: number): Promise<void> {
    await this.#turn();
    this.#disk.onAcknowledge(seq);
    const kept = this.#outbox(stream).batches.get(seq);
    if (kept !== undefined) kept.acknowledgedAt = atMs;
  }

  async pruneAcknowledged(_beforeMs: number): Promise<number> {
    await this.#turn();
    return 0;
  }

  async dropStream(stream: string): Promise<boolean> {
    await this.#turn();
    return this.#disk.outboxes.delete(stream);
  }

  #turn(): Promise<void> {
    return this.#alive ? Promise.resolve() : new Promise(() => undefined);
  }

  #state(stream: string, nowMs: number): StreamState {
    const outbox = this.#outbox(stream, nowMs);
    const kept = [...outbox.batches.values()];
    return {
      stream,
      lastSeq: outbox.lastSeq,
      ...outbox.rest,
      unacknowledgedBatches: kept.filter(({ acknowledgedAt }) => acknowledgedAt === null).length,
      keptFrom: kept[0]?.batch.seq ?? 0,
      parkedRecords: outbox.parked.length,
      createdAt: outbox.createdAt,
    };
  }

  #outbox(stream: string, nowMs = 0): Outbox {
    let outbox = this.#disk.outboxes.get(stream);
    if (outbox === undefined) {
      outbox = {
        rest: { liveFrom: this.head(), backlog: [] },
        lastSeq: 0,
        createdAt: nowMs,
        batches: new Map(),
        parked: [],
      };
      this.#disk.outboxes.set(stream, outbox);
    }
    return outbox;
  }
}

/** Sample number `index` of a noise meter, one a second, for these destinations. */
export function sampleEntry(index: number, to: readonly Destination[], atMs = Date.UTC(2026, 5, 1)): NewEntry {
  const observedAt = atMs + index * 1000;
  return {
    to,
    record: {
      kind: 'sample',
      place: 'place-hotel-de-ville',
      channel: '',
      device: 'sonometre-1',
      quantity: 'LAeq',
      unit: 'dB(A)',
      observedAt,
      receivedAt: observedAt,
      periodMs: 1000,
      intervalMs: 1000,
      value: 50 + (index % 200) / 10,
      quality: 'good',
      flags: [],
      revision: 0,
    },
  };
}

export const sampleEntries = (
  count: number,
  to: readonly Destination[],
  first = 0,
  atMs = Date.UTC(2026, 5, 1),
): readonly NewEntry[] => Array.from({ length: count }, (_, index) => sampleEntry(first + index, to, atMs));
