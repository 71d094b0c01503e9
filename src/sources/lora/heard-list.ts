import type { Metrics } from '../../runtime/metrics.ts';
import type { HeardFrame } from './heard-frame.ts';

/**
 * Why a device that was heard is not taken in: nobody knows its address; its key in the registry is wrong (or another
 * network uses its address); it asks to join and is unknown, or known and waits for over-the-air activation.
 */
export type HeardReason = 'unknown-device' | 'bad-mic' | 'unknown-join' | 'known-join';

/** A device that was heard but not accepted: what a technician needs to put it into the registry. */
export interface HeardDevice {
  readonly kind: 'data' | 'join';
  /** Of data frames; empty for a join-request. */
  readonly devAddr: string;
  /** Of join-requests; empty for a data frame. */
  readonly devEui: string;
  readonly joinEui: string;
  readonly reason: HeardReason;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly count: number;
  /** Of the last reception. */
  readonly rssiDbm: number | null;
  readonly snrDb: number | null;
  readonly gatewayEui: string;
}

type Identity = Pick<HeardDevice, 'kind' | 'devAddr' | 'devEui' | 'joinEui' | 'reason'>;

const MAX_DEVICES = 500;

/** Bounded: the device not heard for longest goes first, and is counted. */
export class HeardList {
  readonly #metrics: Metrics;
  readonly #devices = new Map<string, HeardDevice>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  add(identity: Identity, { reception, receivedAt }: HeardFrame): void {
    const key = `${identity.kind}:${identity.devAddr}${identity.devEui}`;
    const before = this.#devices.get(key);
    this.#devices.delete(key);
    this.#devices.set(key, {
      ...identity,
      firstAt: before?.firstAt ?? receivedAt,
      lastAt: receivedAt,
      count: (before?.count ?? 0) + 1,
      rssiDbm: reception.rssiDbm,
      snrDb: reception.snrDb,
      gatewayEui: reception.gatewayEui,
    });
    if (this.#devices.size > MAX_DEVICES) this.#forgetOldest();
  }

  /** A device that is accepted from now on is no longer merely heard. */
  remove(devAddr: string): void {
    this.#devices.delete(`data:${devAddr}`);
  }

  /** Last heard first. */
  list(): readonly HeardDevice[] {
    return [...this.#devices.values()].toReversed();
  }

  #forgetOldest(): void {
    const oldest = this.#devices.keys().next();
    if (oldest.done === true) return;
    this.#devices.delete(oldest.value);
    this.#metrics.count('cigale_heard_forgotten_total', 'Devices dropped from the bounded list of those heard');
  }
}
