import type { StoredUplink, Uplink } from '../../model/frame.ts';
import type { Clock } from '../../runtime/clock.ts';
import { GatewayError, messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Session, UplinkStore } from '../../store/store.ts';
import { DedupWindow } from './dedup-window.ts';
import type { CounterTicket } from './frame-counter.ts';
import type { HeardFrame } from './heard-frame.ts';
import { HeardList, type HeardDevice, type HeardReason } from './heard-list.ts';
import { countRejected, type LoraRejectReason } from './lora-reject.ts';
import { parsePhyPayload, type DataUp, type JoinRequest } from './phy-payload.ts';
import { SessionTable, type LiveSession } from './session-table.ts';

export { decryptUplink } from './uplink-payload.ts';

export interface UplinkGateOptions {
  readonly store: Pick<UplinkStore, 'acceptUplink'>;
  /** An uplink is on disk. Must not throw. */
  readonly onAccepted: (uplink: StoredUplink) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** How long receptions of one frame by several antennas and concentrators are gathered. */
  readonly dedupWindowMs?: number;
}

/** What waits in the window: a frame whose MIC and counter are good, its counter already taken. */
interface Passed {
  readonly session: LiveSession;
  readonly data: DataUp;
  readonly ticket: CounterTicket;
}

/** ChirpStack's deduplication delay; it leaves 800 ms before RX1 opens. */
const DEDUP_WINDOW_MS = 200;
/** `source` label: the network layer stands behind all concentrators. */
const SOURCE = 'lora';

/**
 * The LoRaWAN 1.0.x network layer for devices whose session keys are known (ABP): what passes is authentic, new, and on
 * disk before anyone hears of it. Everything else is counted with its reason.
 */
export class UplinkGate {
  readonly #options: UplinkGateOptions;
  readonly #sessions = new SessionTable();
  readonly #heard: HeardList;
  readonly #window: DedupWindow<Passed>;
  readonly #commits = new Set<Promise<void>>();
  #joinDevices: ReadonlySet<string> = new Set();
  #stopped = false;

  constructor(options: UplinkGateOptions) {
    this.#options = options;
    this.#heard = new HeardList(options.metrics);
    this.#window = new DedupWindow(options.dedupWindowMs ?? DEDUP_WINDOW_MS, options.clock, (frames) => {
      for (const { frame, of } of frames) this.#handOver(frame, of);
    });
  }

  /** Replaces the sessions; one that stays keeps the higher counter of memory and `nextFCntUp`. */
  setSessions(sessions: readonly Session[]): void {
    for (const device of this.#sessions.replace(sessions))
      this.#options.log.warn({ device }, 'device without a usable network session key: its frames are refused');
    for (const { devAddr } of sessions) this.#heard.remove(devAddr.toLowerCase());
  }

  /** DevEUIs (lower-case hex) of the registry's over-the-air devices: their join-requests are told apart from strangers'. */
  setJoinDevices(devEuis: Iterable<string>): void {
    this.#joinDevices = new Set(devEuis);
  }

  /** Takes frames as a concentrator delivers them; never throws. */
  hear(frames: readonly HeardFrame[]): void {
    for (const frame of frames) {
      const reason = this.#stopped ? 'stopped' : this.#hearOne(frame);
      if (reason !== null) countRejected(this.#options.metrics, SOURCE, reason);
    }
  }

  /** Devices that were heard and not accepted, last heard first. */
  heard(): readonly HeardDevice[] {
    return this.#heard.list();
  }

  /** Hands over what waits for other receptions and resolves when the store has answered for everything. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#window.flush();
    while (this.#commits.size > 0) await Promise.all(this.#commits);
  }

  #hearOne(frame: HeardFrame): LoraRejectReason | null {
    if (this.#window.merge(frame)) return 'duplicate';
    const parsed = parsePhyPayload(frame.phyPayload);
    if (parsed.kind === 'rejected') return parsed.reason;
    return parsed.kind === 'data-up' ? this.#hearData(parsed, frame) : this.#hearJoin(parsed, frame);
  }

  #hearData(data: DataUp, frame: HeardFrame): LoraRejectReason | null {
    const match = this.#sessions.match(data.devAddr, data.fCnt16, frame.phyPayload);
    if (match.kind === 'fresh') {
      const ticket = match.session.counter.reserve(match.full, match.reset);
      this.#window.add(frame, { session: match.session, data, ticket });
      return null;
    }
    if (match.kind === 'unknown-device' || match.kind === 'bad-mic')
      this.#heard.add({ kind: 'data', devAddr: data.devAddr, devEui: '', joinEui: '', reason: match.kind }, frame);
    return match.kind;
  }

  /** Over-the-air activation answers here: a join-request of a known device would start a session. */
  #hearJoin({ devEui, joinEui }: JoinRequest, frame: HeardFrame): LoraRejectReason {
    const reason: HeardReason = this.#joinDevices.has(devEui) ? 'known-join' : 'unknown-join';
    this.#heard.add({ kind: 'join', devAddr: '', devEui, joinEui, reason }, frame);
    return 'join-request';
  }

  #handOver(frame: HeardFrame, { session, data, ticket }: Passed): void {
    const uplink: Uplink = {
      device: session.device,
      devAddr: data.devAddr,
      fCnt: ticket.full,
      confirmed: data.confirmed,
      phyPayload: frame.phyPayload,
      receivedAt: frame.receivedAt,
      reception: frame.reception,
    };
    const commit = this.#accept(uplink, session, ticket).finally(() => this.#commits.delete(commit));
    this.#commits.add(commit);
  }

  /** Settles without failing: the outcome is counted here. */
  async #accept(uplink: Uplink, session: LiveSession, ticket: CounterTicket): Promise<void> {
    const { store, onAccepted, metrics } = this.#options;
    let stored: StoredUplink | 'duplicate';
    try {
      // A device waits for the answer to a confirmed frame, and it is answered only from disk.
      stored = await store.acceptUplink(uplink, uplink.confirmed ? 'now' : 'interval');
    } catch (error) {
      session.counter.release(ticket);
      this.#refused(uplink, error);
      return;
    }
    // An old frame of a device with a relaxed counter looks like a new start until the store knows it: nothing started.
    if (stored === 'duplicate' && ticket.reset) session.counter.release(ticket);
    else session.counter.commit(ticket);
    if (stored === 'duplicate') {
      countRejected(metrics, SOURCE, 'duplicate');
      return;
    }
    metrics.count('cigale_uplinks_accepted_total', 'LoRaWAN uplinks on disk');
    onAccepted(stored);
  }

  #refused({ device, fCnt }: Uplink, error: unknown): void {
    const { log, metrics } = this.#options;
    countRejected(metrics, SOURCE, 'store-refused');
    const code = error instanceof GatewayError ? error.code : 'INTERNAL';
    log.error({ device, fCnt, code, error: messageOf(error) }, 'uplink lost: the store did not take it');
  }
}
