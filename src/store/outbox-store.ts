import { MAX_PARKED_RECORDS, type Batch, type ParkedRecord } from '../model/batch.ts';
import { GatewayError } from '../runtime/errors.ts';
import { batchOf, insertBatch } from './batch-row.ts';
import type { CommitQueue } from './commit-queue.ts';
import { deleteAcknowledged, deleteBatchesOf, deleteOldestAcknowledged } from './outbox-prune.ts';
import { countParked, insertParked, parkedOf, PARKED } from './parked-row.ts';
import { subtract } from './interval-list.ts';
import { idsOfBatch } from './salvage-batches.ts';
import type { BatchReplacement, OutboxStore, StreamState } from './store.ts';
import type { StreamPosition } from './stream-position.ts';
import {
  MAX_STREAMS,
  type StreamRecord,
  type StreamRest,
  batchKey,
  positionOf,
  putStream,
  recordOf,
  seqOf,
  setStream,
  stateOf,
  unsealedOf,
} from './stream-state.ts';
import { ThinningGate } from './thinning-gate.ts';

/** Batches without acknowledgement that are looked into at start: a sender makes far fewer. */
const MAX_LOADED = 1000;

const UNACKNOWLEDGED = `SELECT * FROM batch WHERE key > ? AND key < ?
  AND NOT EXISTS (SELECT 1 FROM acknowledgement WHERE acknowledgement.key = batch.key) ORDER BY key LIMIT ?`;

/** Streams and their sealed batches. What is small (positions, counts) is kept in memory, what is big is read when asked for. */
export class SqliteOutbox implements OutboxStore {
  readonly #queue: CommitQueue;
  readonly #head: () => number;
  readonly #gate: ThinningGate;
  readonly #streams = new Map<string, StreamRecord>();
  /** Streams being opened now: the second caller gets what the first gets. */
  readonly #opening = new Map<string, Promise<StreamState>>();

  constructor(queue: CommitQueue, head: () => number, gate: ThinningGate = new ThinningGate()) {
    this.#queue = queue;
    this.#head = head;
    this.#gate = gate;
  }

  async load(): Promise<void> {
    for (const row of await this.#queue.read('SELECT * FROM stream ORDER BY ref')) {
      const record = recordOf(row);
      this.#streams.set(record.stream, record);
      const sql = 'SELECT key FROM acknowledgement WHERE key > ? AND key < ?';
      const range = [batchKey(record.ref, record.ackedTo), batchKey(record.ref + 1, 0)];
      for (const { key } of await this.#queue.read(sql, range)) markAcknowledged(record, seqOf(Number(key)));
      record.parked = await countParked(this.#queue, record.ref);
      await this.#loadTaken(record);
    }
  }

  /** Where each stream stands in the log; the same until the next turn of the event loop. */
  positions(): readonly StreamPosition[] {
    return [...this.#streams.values()].filter(({ isDropped }) => !isDropped).map(positionOf);
  }

  async listStreams(): Promise<readonly StreamState[]> {
    const records = [...this.#streams.values()].filter(({ isDropped }) => !isDropped);
    return Promise.all(records.map((record) => this.#state(record)));
  }

  openStream(stream: string, nowMs: number): Promise<StreamState> {
    const known = this.#streams.get(stream);
    if (known !== undefined && !known.isDropped) return this.#state(known);
    let opening = this.#opening.get(stream);
    if (opening === undefined) {
      opening = this.#create(stream, known, nowMs).finally(() => this.#opening.delete(stream));
      this.#opening.set(stream, opening);
    }
    return opening;
  }

  async sealBatch(batch: Batch, rest: StreamRest, revision?: number): Promise<boolean> {
    if (!this.#gate.isOpen) await this.#gate.opened();
    if (revision !== undefined && revision !== this.#gate.revision) return false;
    const record = this.#find(batch.stream);
    if (batch.seq !== record.sealedSeq + 1) {
      throw new GatewayError('INTERNAL', 'a batch must carry the number after the last', {
        context: { stream: batch.stream, seq: batch.seq, lastSeq: record.sealedSeq },
      });
    }
    record.sealedSeq = batch.seq;
    record.taken.set(batch.seq, subtract(unsealedOf(record.rest), unsealedOf(rest)));
    const statements = [
      insertBatch(batchKey(record.ref, batch.seq), batch),
      setStream(record.ref, { last_seq: batch.seq, ...restColumns(rest) }),
    ];
    try {
      await this.#queue.writeWithReserve(statements, 'now');
    } catch (error) {
      record.sealedSeq = record.lastSeq;
      record.taken.delete(batch.seq);
      throw error;
    }
    record.lastSeq = batch.seq;
    record.rest = rest;
    return true;
  }

  async replaceBatch(replacement: BatchReplacement): Promise<void> {
    const { empty, parts, parked } = replacement;
    const record = this.#find(empty.stream);
    checkReplacement(record, replacement);
    const lastSeq = record.sealedSeq + parts.length;
    record.sealedSeq = lastSeq;
    const statements = [
      ...[empty, ...parts].map((batch) => insertBatch(batchKey(record.ref, batch.seq), batch)),
      ...(parked === null ? [] : [insertParked(batchKey(record.ref, parked.seq), parked)]),
      setStream(record.ref, { last_seq: lastSeq }),
    ];
    try {
      await this.#queue.writeWithReserve(statements, 'now');
    } catch (error) {
      record.sealedSeq = record.lastSeq;
      throw error;
    }
    record.lastSeq = lastSeq;
    // Which part holds which of them is in the bodies only.
    for (const { seq } of parts) record.taken.set(seq, record.taken.get(empty.seq) ?? []);
    if (parked !== null) record.parked += 1;
  }

  async parkedRecords(stream: string, limit: number): Promise<readonly ParkedRecord[]> {
    const { ref } = this.#find(stream);
    const rows = await this.#queue.read(PARKED, [batchKey(ref, 0), batchKey(ref + 1, 0), limit]);
    return rows.map((row) => parkedOf(stream, row));
  }

  async moveStream(stream: string, rest: StreamRest): Promise<void> {
    const record = this.#find(stream);
    await this.#queue.write([setStream(record.ref, restColumns(rest))], 'now');
    record.rest = rest;
  }

  async unacknowledged(stream: string, afterSeq: number, limit: number): Promise<readonly Batch[]> {
    const { ref, ackedTo, ackedBeyond } = this.#find(stream);
    const batches: Batch[] = [];
    let after = batchKey(ref, Math.max(afterSeq, ackedTo));
    while (batches.length < limit) {
      const rows = await this.#queue.read(UNACKNOWLEDGED, [after, batchKey(ref + 1, 0), limit - batches.length]);
      if (rows.length === 0) break;
      after = Number(rows.at(-1)?.['key']);
      // An acknowledgement that waits for its commit is not in the table yet.
      batches.push(...rows.map((row) => batchOf(stream, row)).filter(({ seq }) => !ackedBeyond.has(seq)));
    }
    return batches;
  }

  async batches(stream: string, fromSeq: number, toSeq: number, limit: number): Promise<readonly Batch[]> {
    const { ref, lastSeq } = this.#find(stream);
    const sql = 'SELECT * FROM batch WHERE key BETWEEN ? AND ? ORDER BY key LIMIT ?';
    const range = [batchKey(ref, Math.max(1, fromSeq)), batchKey(ref, Math.min(lastSeq, toSeq)), limit];
    return (await this.#queue.read(sql, range)).map((row) => batchOf(stream, row));
  }

  async acknowledge(stream: string, seq: number, atMs: number): Promise<void> {
    const record = this.#find(stream);
    if (seq <= record.ackedTo || seq > record.lastSeq || record.ackedBeyond.has(seq)) return;
    // At once, not after the commit: the broker has it, whatever becomes of this write.
    markAcknowledged(record, seq);
    const statements = [
      {
        sql: 'INSERT OR REPLACE INTO acknowledgement (key, acked_at) VALUES (?, ?)',
        params: [batchKey(record.ref, seq), atMs],
      },
      { sql: 'UPDATE stream SET acked_to = max(acked_to, ?) WHERE ref = ?', params: [record.ackedTo, record.ref] },
    ];
    // In a full file an acknowledgement is what makes room.
    await this.#queue.writeWithReserve(statements, 'interval');
  }

  async pruneAcknowledged(beforeMs: number): Promise<number> {
    let deleted = 0;
    for (const record of this.#streams.values()) deleted += await deleteAcknowledged(this.#queue, record, beforeMs);
    return deleted;
  }

  /** Makes room in a full file: deletes each stream's oldest acknowledged batches, however lately acknowledged; how many. */
  async relieve(): Promise<number> {
    let deleted = 0;
    for (const record of this.#streams.values()) deleted += await deleteOldestAcknowledged(this.#queue, record);
    return deleted;
  }

  async dropStream(stream: string): Promise<boolean> {
    const record = this.#streams.get(stream);
    if (record === undefined || record.isDropped) return false;
    await this.#queue.write([setStream(record.ref, { dropped: 1, acked_to: record.sealedSeq })], 'now');
    record.isDropped = true;
    record.ackedTo = record.lastSeq;
    record.ackedBeyond.clear();
    record.taken.clear();
    record.parked = 0;
    await deleteBatchesOf(this.#queue, record.ref);
    return true;
  }

  /** Deletes what a process that ended while it dropped a stream left behind. */
  async pruneDropped(): Promise<void> {
    for (const { ref, isDropped } of this.#streams.values()) if (isDropped) await deleteBatchesOf(this.#queue, ref);
  }

  async #create(stream: string, dropped: StreamRecord | undefined, nowMs: number): Promise<StreamState> {
    if (dropped === undefined && this.#streams.size >= MAX_STREAMS) {
      throw new GatewayError('INTERNAL', 'too many streams', { context: { stream, streams: this.#streams.size } });
    }
    if (dropped !== undefined) await deleteBatchesOf(this.#queue, dropped.ref);
    const lastSeq = dropped?.lastSeq ?? 0;
    const record: StreamRecord = {
      ref: dropped?.ref ?? 1 + Math.max(0, ...[...this.#streams.values()].map(({ ref }) => ref)),
      stream,
      isDropped: false,
      lastSeq,
      sealedSeq: lastSeq,
      ackedTo: lastSeq,
      ackedBeyond: new Set(),
      rest: { liveFrom: this.#head(), backlog: [] },
      taken: new Map(),
      parked: 0,
      createdAt: nowMs,
    };
    this.#streams.set(stream, { ...record, isDropped: true });
    try {
      await this.#queue.write([putStream(record)], 'now');
    } catch (error) {
      if (dropped === undefined) this.#streams.delete(stream);
      else this.#streams.set(stream, dropped);
      throw error;
    }
    this.#streams.set(stream, record);
    return this.#state(record);
  }

  async #state(record: StreamRecord): Promise<StreamState> {
    const range = [batchKey(record.ref, 0), batchKey(record.ref + 1, 0)];
    const [row] = await this.#queue.read('SELECT min(key) AS key FROM batch WHERE key > ? AND key < ?', range);
    const oldest = row?.['key'];
    return stateOf(record, typeof oldest === 'number' ? seqOf(oldest) : 0);
  }

  /** Reads which part of the log the batches hold that an earlier process sealed; all of it where a body cannot be read. */
  async #loadTaken(record: StreamRecord): Promise<void> {
    if (record.lastSeq - record.ackedTo - record.ackedBeyond.size === 0) return;
    for (const row of await this.#queue.read(UNACKNOWLEDGED, [
      batchKey(record.ref, record.ackedTo),
      batchKey(record.ref + 1, 0),
      MAX_LOADED,
    ])) {
      const ids = idsOfBatch(row);
      record.taken.set(seqOf(Number(row['key'])), ids === null ? [] : [ids]);
    }
  }

  #find(stream: string): StreamRecord {
    const record = this.#streams.get(stream);
    if (record !== undefined && !record.isDropped) return record;
    throw new GatewayError('STREAM_UNKNOWN', 'no stream has that id', { context: { stream } });
  }
}

const restColumns = ({ liveFrom, backlog }: StreamRest) => ({ live_from: liveFrom, backlog: JSON.stringify(backlog) });

function checkReplacement(record: StreamRecord, { empty, parts, parked }: BatchReplacement): void {
  const isOpen = empty.seq > record.ackedTo && empty.seq <= record.lastSeq && !record.ackedBeyond.has(empty.seq);
  const follows = parts.every(({ seq }, index) => seq === record.sealedSeq + 1 + index);
  const hasRoom = parked === null || record.parked < MAX_PARKED_RECORDS;
  if (isOpen && follows && hasRoom) return;
  throw new GatewayError('INTERNAL', 'a batch cannot be replaced like this', {
    context: { stream: empty.stream, seq: empty.seq, lastSeq: record.sealedSeq, parked: record.parked },
  });
}

function markAcknowledged(record: StreamRecord, seq: number): void {
  record.taken.delete(seq);
  if (seq <= record.ackedTo) return;
  record.ackedBeyond.add(seq);
  while (record.ackedBeyond.delete(record.ackedTo + 1)) record.ackedTo += 1;
}
