import type { ConcentratorStat } from './rxpk.ts';

export interface UdpAddress {
  readonly address: string;
  readonly port: number;
}

/** A concentrator that was heard at this port. */
export interface HeardConcentrator {
  /** 16 lower-case hex digits. */
  readonly eui: string;
  readonly lastHeardAt: number;
  /** Last status report; null before the first. */
  readonly stat: ConcentratorStat | null;
  readonly statAt: number | null;
}

interface Entry {
  lastHeardAt: number;
  heardMonotonicMs: number;
  stat: ConcentratorStat | null;
  statAt: number | null;
  pull: UdpAddress | null;
  pullMonotonicMs: number;
}

const MAX_CONCENTRATORS = 64;
/** Silent for so long, a concentrator gives its place to a new one when the list is full. */
const REPLACEABLE_AFTER_MS = 600_000;
/** Four keepalives of 30 s, the slowest that forwarders ship with: by then a NAT has forgotten the way back. */
const PULL_EXPIRY_MS = 120_000;

/** Which concentrators speak to a port, and where each one awaits downlinks. Bounded: EUIs are not authenticated. */
export class ConcentratorList {
  readonly #entries = new Map<string, Entry>();

  /** Notes a sign of life; `new` for an EUI not yet known, `full` when it is not tracked for lack of room. */
  heard(eui: string, nowMs: number, monotonicMs: number): 'known' | 'new' | 'full' {
    const entry = this.#entries.get(eui);
    if (entry !== undefined) {
      entry.lastHeardAt = nowMs;
      entry.heardMonotonicMs = monotonicMs;
      return 'known';
    }
    if (this.#entries.size >= MAX_CONCENTRATORS && !this.#makeRoom(monotonicMs)) return 'full';
    this.#entries.set(eui, {
      lastHeardAt: nowMs,
      heardMonotonicMs: monotonicMs,
      stat: null,
      statAt: null,
      pull: null,
      pullMonotonicMs: 0,
    });
    return 'new';
  }

  setStat(eui: string, stat: ConcentratorStat, nowMs: number): void {
    const entry = this.#entries.get(eui);
    if (entry === undefined) return;
    entry.stat = stat;
    entry.statAt = nowMs;
  }

  setPullAddress(eui: string, pull: UdpAddress, monotonicMs: number): void {
    const entry = this.#entries.get(eui);
    if (entry === undefined) return;
    entry.pull = pull;
    entry.pullMonotonicMs = monotonicMs;
  }

  pullAddress(eui: string, monotonicMs: number): UdpAddress | undefined {
    const entry = this.#entries.get(eui);
    const pull = entry?.pull ?? undefined;
    return entry !== undefined && monotonicMs - entry.pullMonotonicMs <= PULL_EXPIRY_MS ? pull : undefined;
  }

  list(): readonly HeardConcentrator[] {
    return [...this.#entries].map(([eui, { lastHeardAt, stat, statAt }]) => ({ eui, lastHeardAt, stat, statAt }));
  }

  #makeRoom(monotonicMs: number): boolean {
    for (const [eui, entry] of this.#entries) {
      if (monotonicMs - entry.heardMonotonicMs < REPLACEABLE_AFTER_MS) continue;
      this.#entries.delete(eui);
      return true;
    }
    return false;
  }
}
