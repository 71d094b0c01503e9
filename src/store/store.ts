import type { Batch, ParkedRecord } from '../model/batch.ts';
import type { Aggregate, DataRecord, Destination, LogEntry, NewEntry } from '../model/record.ts';
import type { Assignment, Device, Place, SessionKeys } from '../model/device.ts';
import type { StoredUplink, Uplink } from '../model/frame.ts';
import type { ClockStore } from './clock-store.ts';
import type { SalvageReport } from './salvage-report.ts';

/**
 * The interfaces of the store: what every other stage may know of it. One SQLite file, one connection, one owner.
 *
 * Writes queue in memory and are committed together (group commit, WAL, `synchronous=FULL`): `interval` within the
 * commit interval, `now` as soon as the commit before has ended. A promise that a write returns resolves only after
 * its COMMIT returned: from then on a power cut does not lose it. It rejects with STORE_BACKPRESSURE when the queue is at
 * its bound (the caller counts what it drops), STORE_CLOSED after `stop`.
 */
export type Urgency = 'interval' | 'now';

export interface LogStore {
  /** Takes records into the log: accepted once the promise resolves, with the ids they got, in the given order. */
  append(entries: readonly NewEntry[], urgency?: Urgency): Promise<readonly LogEntry[]>;
  /** The id that the next committed entry gets; every committed entry is below. */
  head(): number;
  /**
   * Committed entries with `id >= from` in id order, about `limit` of them (whole blocks); empty at the head.
   * Recently committed blocks come from memory.
   */
  read(from: number, limit: number): Promise<readonly LogEntry[]>;
  /** Committed entries whose `observedAt` (samples), window start (aggregates) or `from` (gaps) lies in `[fromMs, toMs)`, page by page, in id order. */
  readRange(range: LogRange): AsyncIterable<readonly LogEntry[]>;
  /** Changes when records that a stream has not sealed yet were replaced by thinned ones: what was read before is to be read again. */
  revision(): number;
  /** Called after each commit that appended entries, in id order, without gap. The listener must not throw. */
  onCommitted(listener: (entries: readonly LogEntry[]) => void): () => void;
}

export interface LifeStore {
  /** When the gateway was last known to run, as `saveAliveAt` said; undefined before the first time. */
  aliveAt(): Promise<number | undefined>;
  /** Kept with the next commit; once the store drains, at once. */
  saveAliveAt(atMs: number): Promise<void>;
  /** When the store was made that was lost as a whole; undefined when none was, or `forgetLost` was called. */
  lostSince(): Promise<number | undefined>;
  /** That loss is declared. */
  forgetLost(): Promise<void>;
}

export interface LogRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly kind?: DataRecord['kind'];
  readonly place?: string;
  readonly channel?: string;
  readonly quantity?: string;
  /** Only entries with a greater id (paging). */
  readonly afterId?: number;
}

export interface UplinkStore {
  /**
   * Accepts an uplink: the raw frame and the session's counter in one transaction, before anything is decoded.
   * A second uplink with the same device and counter in the same session is not stored again (result `duplicate`).
   */
  acceptUplink(uplink: Uplink, urgency: Urgency): Promise<StoredUplink | 'duplicate'>;
  /** Accepted uplinks whose decoding was not completed (the process ended in between), oldest first. */
  undecodedUplinks(): Promise<readonly StoredUplink[]>;
  /** Appends what an uplink decoded to (possibly nothing) and marks it decoded, in one transaction: exactly once. */
  completeUplink(id: number, outcome: UplinkOutcome): Promise<readonly LogEntry[]>;
}

export interface UplinkOutcome {
  readonly entries: readonly NewEntry[];
  /** `decoded`, or a stable reason why nothing came of it (`no-codec`, `decoder-error`, `no-place`, `mac-only`); the raw frame is kept. */
  readonly result: 'decoded' | 'no-codec' | 'decoder-error' | 'no-place' | 'mac-only';
}

/** A written window, by its natural key, as the aggregation stage needs it to write each window exactly once. */
export interface WindowRow {
  readonly start: number;
  readonly revision: number;
  /** Equal for equal contents. */
  readonly fingerprint: string;
}

export interface WindowKey {
  readonly domain: string;
  readonly place: string;
  readonly channel: string;
  readonly quantity: string;
  readonly periodMs: number;
  readonly part: string;
}

export interface WindowStore {
  /** Position in the log from which open windows must be rebuilt; 1 for a new store. */
  aggregateCursor(): Promise<number>;
  /** The last revision written for that window, or undefined. */
  findWindow(key: WindowKey, start: number): Promise<WindowRow | undefined>;
  /** Appends aggregates to the log, records their windows and moves the cursor, in one transaction. `aggregates` may be empty. */
  writeWindows(
    aggregates: readonly {
      readonly aggregate: Aggregate;
      readonly fingerprint: string;
      readonly to: readonly Destination[];
    }[],
    cursor: number,
  ): Promise<readonly LogEntry[]>;
}

/** Part of the log not yet sealed for a stream: ids in `[from, to)`. */
export interface LogInterval {
  readonly from: number;
  readonly to: number;
}

export interface StreamState {
  readonly stream: string;
  /** Last sealed number; 0 before the first. */
  readonly lastSeq: number;
  /** Every entry with `id >= liveFrom` is unsealed and belongs to the live lane. */
  readonly liveFrom: number;
  /** Unsealed older parts, ascending: the backlog lane. */
  readonly backlog: readonly LogInterval[];
  readonly unacknowledgedBatches: number;
  /** Number of the oldest batch kept; 0 when none. */
  readonly keptFrom: number;
  /** Records that the broker refused alone; at most `MAX_PARKED_RECORDS`. */
  readonly parkedRecords: number;
  readonly createdAt: number;
}

/** What a batch that the broker refuses is replaced by. */
export interface BatchReplacement {
  /** Without records, under the number of the refused batch. */
  readonly empty: Batch;
  /** Batches of its records, under the numbers after the last; empty when its one record is parked. */
  readonly parts: readonly Batch[];
  readonly parked: ParkedRecord | null;
}

export interface OutboxStore {
  /** Every stream the store knows, orphans among them. */
  listStreams(): Promise<readonly StreamState[]>;
  /** The stream's state; a new stream starts at the head of the log. */
  openStream(stream: string, nowMs: number): Promise<StreamState>;
  /**
   * Commits a batch and the unsealed rest (`liveFrom`, `backlog`) in one transaction, at once. `batch.seq` must be `lastSeq + 1`.
   * False, and nothing is written, when the log is not at `revision` any more, which the batch's records were read at.
   */
  sealBatch(
    batch: Batch,
    rest: { readonly liveFrom: number; readonly backlog: readonly LogInterval[] },
    revision?: number,
  ): Promise<boolean>;
  /**
   * Commits a replacement in one transaction, at once: the number stays without acknowledgement. Rejects with INTERNAL when the
   * number is not sealed or was acknowledged, when the parts do not follow the last number, or when no more may be parked.
   */
  replaceBatch(replacement: BatchReplacement): Promise<void>;
  /** Parked records in order of `seq`, at most `limit`. */
  parkedRecords(stream: string, limit: number): Promise<readonly ParkedRecord[]>;
  /** Moves the unsealed rest without a batch, at once: records that are not the stream's were passed over, or lanes were split. */
  moveStream(
    stream: string,
    rest: { readonly liveFrom: number; readonly backlog: readonly LogInterval[] },
  ): Promise<void>;
  /** Sealed batches without acknowledgement and with `seq > afterSeq`, in order of `seq`, at most `limit`. */
  unacknowledged(stream: string, afterSeq: number, limit: number): Promise<readonly Batch[]>;
  /** Kept batches of a range of numbers (for resending), at most `limit`. */
  batches(stream: string, fromSeq: number, toSeq: number, limit: number): Promise<readonly Batch[]>;
  acknowledge(stream: string, seq: number, atMs: number): Promise<void>;
  /** Deletes acknowledged batches acknowledged before `beforeMs`; how many. */
  pruneAcknowledged(beforeMs: number): Promise<number>;
  /** Forgets a stream and its batches; false when there is none. */
  dropStream(stream: string): Promise<boolean>;
}

export interface FlowVersion {
  readonly version: number;
  readonly checksum: string;
  readonly author: string;
  readonly createdAt: number;
  /** File it was loaded from by `--flow`, or empty. */
  readonly origin: string;
}

export interface FlowStore {
  /** Newest first. */
  flowVersions(limit: number): Promise<readonly FlowVersion[]>;
  flow(version: number): Promise<{ readonly version: FlowVersion; readonly json: string } | undefined>;
  /** A flow equal to the newest version gives that version again. */
  saveFlow(json: string, author: string, origin: string, nowMs: number): Promise<FlowVersion>;
  /** Checksum of the content last loaded from that file, or undefined. */
  lastLoaded(origin: string): Promise<string | undefined>;
  /** The last plan that was compiled, with the key that says from what; JSON. */
  compiledPlan(): Promise<{ readonly key: string; readonly plan: string } | undefined>;
  saveCompiledPlan(key: string, plan: string): Promise<void>;
  /** The gateway id of the last plan that ran; undefined before the first. */
  gatewayId(): Promise<string | undefined>;
  saveGatewayId(gateway: string): Promise<void>;
  /** Credentials by node id and field, in clear; kept encrypted. */
  credentials(): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>>;
  saveCredentials(credentials: Readonly<Record<string, Readonly<Record<string, string>>>>): Promise<void>;
}

/** A LoRaWAN session as the network layer needs it. */
export interface Session {
  readonly device: string;
  readonly devAddr: string;
  readonly keys: SessionKeys;
  /** Next expected 32-bit FCntUp. */
  readonly nextFCntUp: number;
  readonly relaxedCounter: boolean;
}

/** Keys given on import; hex, empty where unknown. */
export interface DeviceKeys extends SessionKeys {
  readonly appKey: string;
}

export interface RegistryStore {
  places(): Promise<readonly Place[]>;
  devices(): Promise<readonly Device[]>;
  assignments(): Promise<readonly Assignment[]>;
  /** Decrypted keys of a device (export, sessions), or undefined. */
  deviceKeys(device: string): Promise<DeviceKeys | undefined>;
  sessions(): Promise<readonly Session[]>;
  /** Applies a whole import in one transaction. */
  applyRegistry(change: RegistryChange): Promise<void>;
  /** Called after each applied change. */
  onRegistryChanged(listener: () => void): () => void;
  codecs(): Promise<readonly { readonly name: string; readonly script: string; readonly addedAt: number }[]>;
  saveCodec(name: string, script: string, nowMs: number): Promise<void>;
}

export interface RegistryChange {
  readonly places: readonly Place[];
  readonly devices: readonly { readonly device: Device; readonly keys: DeviceKeys }[];
  readonly assignments: readonly Assignment[];
}

export interface StoreStatus {
  readonly driver: 'sqlite3' | 'node:sqlite';
  readonly sqliteVersion: string;
  readonly epoch: string;
  readonly bytes: number;
  readonly limitBytes: number | null;
  /** Records taken since the store was made. */
  readonly records: number;
  /** What the next outage would find, measured every few minutes; null while the disk does not answer. */
  readonly space: StoreSpace | null;
  readonly pendingEntries: number;
  /** null, or the code of the fault that commits fail with now. */
  readonly fault: string | null;
  /** What the last salvage of a damaged store brought over, null when there was none. */
  readonly salvage?: SalvageReport | null;
}

export interface StoreSpace {
  /** Up to where nothing loses resolution; null without a limit. */
  readonly fullBytes: number | null;
  /** Of what is in use: raw samples that every stream has had acknowledged, and batches kept for resending. They go first. */
  readonly spareBytes: number;
  /** What a record takes in a sealed block, pages included. */
  readonly recordBytes: number;
  /** Samples that lost resolution at the disk limit since the store was made. */
  readonly thinnedSamples: number;
}

export interface Store
  extends LogStore, LifeStore, ClockStore, UplinkStore, WindowStore, OutboxStore, FlowStore, RegistryStore {
  /** ULID; changes whenever numbering cannot be proved to continue. */
  readonly epoch: string;
  setCommitInterval(ms: number): void;
  setDiskLimit(megabytes: number | null): Promise<void>;
  status(): Promise<StoreStatus>;
  start(): Promise<void>;
  /**
   * The gateway is about to stop: from now on every write commits at once, and what a failing disk refuses is rejected
   * instead of tried again, so that no part waits for a commit interval or for the disk while it ends.
   */
  drain(): void;
  /** Commits what is queued, closes. */
  stop(): Promise<void>;
}
