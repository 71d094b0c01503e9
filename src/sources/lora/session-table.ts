import type { Session } from '../../store/store.ts';
import { fullFCntUp, pastFCntUp, SessionCounter } from './frame-counter.ts';
import { isAesKey, isUplinkMicValid, micKey, type MicKey } from './lorawan-crypto.ts';

/** A session as it lives in memory: its counter runs ahead of the disk by what is being committed. */
export interface LiveSession {
  readonly device: string;
  readonly devAddr: string;
  readonly relaxedCounter: boolean;
  readonly nwkSKey: MicKey;
  readonly counter: SessionCounter;
  /** Tells whether a session given again is still the same one. */
  readonly identity: string;
}

/** What the sessions of a DevAddr say about a frame. */
export type Match =
  | { readonly kind: 'fresh'; readonly session: LiveSession; readonly full: number; readonly reset: boolean }
  | { readonly kind: 'retransmission' | 'replay' | 'bad-mic' | 'unknown-device' };

const identityOf = ({ device, devAddr, keys }: Session): string =>
  `${device}\u001f${devAddr}\u001f${keys.nwkSKey}\u001f${keys.appSKey}`.toLowerCase();

/** Sessions by DevAddr; several devices may share one, the MIC tells them apart. */
export class SessionTable {
  #byDevAddr: ReadonlyMap<string, readonly LiveSession[]> = new Map();
  #byIdentity: ReadonlyMap<string, LiveSession> = new Map();

  /** Replaces the sessions. One that stays keeps the higher of the two counters; devices without a usable key are returned. */
  replace(sessions: readonly Session[]): readonly string[] {
    const byDevAddr = new Map<string, LiveSession[]>();
    const byIdentity = new Map<string, LiveSession>();
    const unusable: string[] = [];
    for (const session of sessions) {
      if (!isAesKey(session.keys.nwkSKey)) {
        unusable.push(session.device);
        continue;
      }
      const live = this.#revive(session);
      byIdentity.set(live.identity, live);
      const sharing = byDevAddr.get(live.devAddr);
      if (sharing === undefined) byDevAddr.set(live.devAddr, [live]);
      else sharing.push(live);
    }
    this.#byDevAddr = byDevAddr;
    this.#byIdentity = byIdentity;
    return unusable;
  }

  knows(devAddr: string): boolean {
    return this.#byDevAddr.has(devAddr);
  }

  match(devAddr: string, wire: number, phyPayload: Uint8Array): Match {
    const candidates = this.#byDevAddr.get(devAddr);
    if (candidates === undefined) return { kind: 'unknown-device' };
    for (const session of candidates) {
      const match = matchSession(session, wire, phyPayload);
      if (match !== null) return match;
    }
    return { kind: 'bad-mic' };
  }

  #revive(session: Session): LiveSession {
    const identity = identityOf(session);
    const before = this.#byIdentity.get(identity);
    const counter = before?.counter ?? new SessionCounter(session.nextFCntUp);
    counter.raise(session.nextFCntUp);
    return {
      device: session.device,
      devAddr: session.devAddr.toLowerCase(),
      relaxedCounter: session.relaxedCounter,
      nwkSKey: before?.nwkSKey ?? micKey(session.keys.nwkSKey),
      counter,
      identity,
    };
  }
}

/** null when the MIC fits none of the counters that this session could mean. */
function matchSession(session: LiveSession, wire: number, phyPayload: Uint8Array): Match | null {
  const { next } = session.counter;
  const full = fullFCntUp(next, wire);
  if (isUplinkMicValid(phyPayload, full, session.nwkSKey)) {
    if (full >= next) return { kind: 'fresh', session, full, reset: false };
    if (full === next - 1) return { kind: 'retransmission' };
    return restarted(session, full);
  }
  if (wire !== full && wire < next && isUplinkMicValid(phyPayload, wire, session.nwkSKey))
    return restarted(session, wire);
  const past = pastFCntUp(next, wire);
  if (past !== null && past !== wire && isUplinkMicValid(phyPayload, past, session.nwkSKey)) return { kind: 'replay' };
  return null;
}

/** A counter that went back: an old frame sent again, unless the registry says that this device forgets its counter. */
const restarted = (session: LiveSession, full: number): Match =>
  session.relaxedCounter ? { kind: 'fresh', session, full, reset: true } : { kind: 'replay' };
