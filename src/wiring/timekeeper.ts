import type { ClockFacts } from '../api/gateway-port.ts';
import type { Uplink } from '../model/frame.ts';
import { rfc3339 } from '../model/instant.ts';
import type { Measurement } from '../model/record.ts';
import { every, sleep, type Timer } from '../runtime/clock.ts';
import { GatewayError } from '../runtime/errors.ts';
import { background, type Service } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Timeline } from '../runtime/timeline.ts';
import type { Store } from '../store/store.ts';
import { ClockHold } from './clock-hold.ts';
import {
  EARLIEST_AT,
  gpsOffset,
  isPlausibleNow,
  trustsSystem,
  type ClockMode,
  type ClockSource,
} from './clock-policy.ts';
import { knownBefore, type KnownBefore } from './clock-start.ts';
import { heldFrom, readClockState, type ClockState } from './clock-state.ts';
import { ClockSteps } from './clock-steps.ts';
import { HoldCheckpoints } from './hold-checkpoints.ts';
import { lastAlive } from './last-alive.ts';
import type { RecordTime } from './record-time.ts';
import { settleRecords } from './settling.ts';
import { TimeService } from './time-service.ts';
import { markEstimated, settle, settledAt } from './time-stamp.ts';

/** How often the time service is asked: until the clock is set, and after. */
const ASK_MS = 1000;
const ASK_WHEN_SET_MS = 10_000;
/** A line that moved this far from what is kept of it is kept anew. */
const SAVED_DRIFT_MS = 250;
/** Re-timing that a failing disk holds up goes on at the next start. */
const STOP_WAIT_MS = 2000;

export interface TimekeeperParts {
  readonly store: Store;
  readonly timeline: Timeline;
  readonly mode: ClockMode;
  /** Name of this boot; empty: not known. */
  readonly bootId: string;
  /** Whether a time service has set the system's clock; null: none that we know runs. */
  readonly synchronized: () => Promise<boolean | null>;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What the status says of the clock. */
export type ClockStatus = Omit<ClockFacts, 'now'>;

/** Decides what the gateway's line of time goes by, and sees that records taken before it was known get their time. */
export class Timekeeper implements Service, RecordTime {
  readonly #parts: TimekeeperParts;
  readonly #service: TimeService;
  readonly #steps: ClockSteps;
  #hold: ClockHold | undefined;
  #state: ClockState;
  #floorAt = EARLIEST_AT;
  #isFresh = true;
  #isOffTimeUnknown = false;
  #unknown: KnownBefore['unknown'] = null;
  #checkpoints: HoldCheckpoints | undefined;
  #settling: Promise<void> = Promise.resolve();
  #listeners: (() => void)[] = [];
  #timer: Timer | undefined;
  #running = false;

  constructor(parts: TimekeeperParts) {
    const { timeline, bootId, log, metrics } = parts;
    this.#parts = parts;
    this.#service = new TimeService(parts.synchronized, timeline, log);
    this.#steps = new ClockSteps(timeline, log, metrics);
    const { offsetMs, systemOffsetMs } = timeline;
    this.#state = { bootId, offsetMs, systemOffsetMs, source: 'none', held: null, settling: null, former: null };
  }

  /** What readers of records see of the store; there once it has started. */
  get hold(): ClockHold {
    if (this.#hold === undefined) throw new Error('the timekeeper has not started');
    return this.#hold;
  }

  /** Samples of an earlier boot whose time will never be known; null: none. */
  get unknown(): KnownBefore['unknown'] {
    return this.#unknown;
  }

  get isOffTimeUnknown(): boolean {
    return this.#isOffTimeUnknown;
  }

  /** To be called before anything is taken in. */
  async start(): Promise<void> {
    const { store, log } = this.#parts;
    const before = readClockState(await store.clockState());
    const newestAt = (await lastAlive(store)) ?? -1;
    const notedAt = (await store.aliveAt()) ?? newestAt;
    // A step since the line was made is nothing that anybody took a time by.
    this.#parts.timeline.nowMs();
    await this.#service.ask();
    await this.#begin(before, newestAt, notedAt);
    await store.saveClockState(JSON.stringify(this.#state));
    this.#hold = new ClockHold(store, log, heldFrom(this.#state));
    this.#running = true;
    if (this.#state.settling !== null) this.#settle();
    this.#parts.timeline.watch(({ byMs }) => this.#stepped(byMs));
    this.#timer = every(this.#parts.timeline, ASK_MS, () => this.#tick());
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#timer?.cancel();
    this.#parts.timeline.stop();
    await Promise.race([Promise.allSettled([this.#settling]), sleep(this.#parts.timeline, STOP_WAIT_MS)]);
    await this.#hold?.stop();
  }

  async status(): Promise<ClockStatus> {
    const { source } = this.#state;
    const { quality } = this.#parts.timeline;
    const synchronized = await this.#service.ask();
    return { synchronized, quality, source, heldRecords: this.#hold?.held ?? 0, steps: this.#steps.count };
  }

  /** Sets the clock by a technician's phone. Throws API_BAD_REQUEST for an impossible time, CLOCK_ALREADY_SET where a better source keeps it. */
  async setByPhone(utcMs: number): Promise<void> {
    if (!isPlausibleNow(utcMs))
      throw new GatewayError('API_BAD_REQUEST', `${rfc3339(utcMs)} cannot be the present`, { context: { now: utcMs } });
    const { source } = this.#state;
    if (source === 'time-service' || this.#parts.mode === 'trust')
      throw new GatewayError('CLOCK_ALREADY_SET', 'the clock is kept by a better source', { context: { source } });
    await this.#setTo(utcMs - this.#parts.timeline.monotonicMs(), 'phone');
  }

  heard(uplink: Uplink): void {
    const { timeline, log } = this.#parts;
    const offsetMs = timeline.quality === 'set' ? null : gpsOffset(uplink, timeline);
    if (offsetMs !== null) background(this.#setTo(offsetMs, 'gps'), log, 'the time of GPS could not be kept');
  }

  onSet(listener: () => void): void {
    this.#listeners.push(listener);
  }

  stamp(measurement: Measurement): Measurement {
    const { timeline } = this.#parts;
    if (timeline.quality === 'estimated') return markEstimated(measurement);
    const { former } = this.#state;
    return former === null ? measurement : settle(measurement, former, timeline.nowMs());
  }

  settled(at: number): number {
    const { timeline } = this.#parts;
    return timeline.quality === 'estimated' ? at : settledAt(at, this.#state.former, timeline.nowMs());
  }

  /** Where the line goes on from: what the system's clock says, what this boot knew, or a guess. */
  async #begin(before: ClockState | undefined, newestAt: number, notedAt: number): Promise<void> {
    const { timeline, bootId, store } = this.#parts;
    const { systemOffsetMs } = timeline;
    const { own, floorAt, isFresh, unknown } = knownBefore(before, bootId, systemOffsetMs, newestAt, notedAt);
    this.#floorAt = floorAt;
    this.#isFresh = isFresh;
    this.#unknown = unknown;
    const settling = before?.settling ?? null;
    const former = unknown === null ? (before?.former ?? null) : { ...unknown, deltaMs: null };
    this.#state = { ...this.#state, settling, former, source: own?.source ?? 'none' };
    if (this.#trustsSystem()) {
      timeline.follow();
      this.#becomeSet(systemOffsetMs, this.#systemSource(), own);
    } else if (own !== undefined && own.source !== 'none') {
      timeline.keepTo(own.offsetMs, 'set');
      this.#state = { ...this.#state, offsetMs: own.offsetMs };
    } else {
      // An earlier span first: a second one beside it is not kept.
      await this.#settleRecords(() => true);
      const monotonicMs = timeline.monotonicMs();
      const offsetMs = own?.offsetMs ?? Math.max(systemOffsetMs + monotonicMs, newestAt + 1) - monotonicMs;
      const startAt = Math.round(offsetMs + monotonicMs);
      const held = own?.held ?? { fromId: store.head(), startAt, sinceMs: monotonicMs };
      this.#isOffTimeUnknown = own === undefined;
      this.#state = { ...this.#state, offsetMs, held };
      this.#checkpoints = new HoldCheckpoints({ id: held.fromId, monotonicMs: held.sinceMs });
      timeline.keepTo(offsetMs, 'estimated');
      this.#parts.log.warn(
        { estimate: rfc3339(startAt) },
        'the clock is not set: records wait for it, at most a day, before they are sent',
      );
    }
  }

  #trustsSystem(): boolean {
    const { timeline, mode } = this.#parts;
    const systemAt = timeline.systemOffsetMs + timeline.monotonicMs();
    const [synchronized, floorAt, isFresh] = [this.#service.last, this.#floorAt, this.#isFresh];
    return trustsSystem({ mode, synchronized, systemAt, floorAt, source: this.#state.source, isFresh });
  }

  #systemSource(): ClockSource {
    return this.#service.last === true ? 'time-service' : 'system';
  }

  #tick(): void {
    const isSet = this.#parts.timeline.quality === 'set';
    if (!isSet) this.#letGoOfOld();
    this.#service.askEvery(isSet ? ASK_WHEN_SET_MS : ASK_MS, () => this.#answered());
  }

  async #answered(): Promise<void> {
    if (this.#running && this.#trustsSystem()) await this.#followSystem();
    const drift = Math.abs(this.#parts.timeline.offsetMs - this.#state.offsetMs);
    if (this.#running && drift >= SAVED_DRIFT_MS) await this.#save();
  }

  async #followSystem(): Promise<void> {
    const { timeline } = this.#parts;
    const source = this.#systemSource();
    if (timeline.isFollowing && source === this.#state.source) return;
    const wasEstimated = timeline.quality === 'estimated';
    timeline.follow();
    this.#becomeSet(timeline.systemOffsetMs, source, wasEstimated ? this.#state : undefined);
    await this.#save();
  }

  /** Before any time after it is given: a step that is believed is followed, any other leaves the line as it is. */
  #stepped(byMs: number): void {
    const { timeline, log } = this.#parts;
    this.#isFresh = true;
    const isFollowed = this.#trustsSystem();
    this.#steps.note(byMs, isFollowed);
    if (!isFollowed) return;
    if (timeline.quality === 'set') timeline.follow();
    else background(this.#followSystem(), log, 'the time could not be kept');
  }

  async #setTo(offsetMs: number, source: ClockSource): Promise<void> {
    const { timeline } = this.#parts;
    const wasEstimated = timeline.quality === 'estimated';
    timeline.keepTo(offsetMs, 'set');
    this.#becomeSet(offsetMs, source, wasEstimated ? this.#state : undefined);
    await this.#save();
  }

  /** `estimated`: the line that was a guess until now. */
  #becomeSet(offsetMs: number, source: ClockSource, estimated: ClockState | undefined): void {
    const { timeline, log } = this.#parts;
    this.#floorAt = EARLIEST_AT;
    this.#isOffTimeUnknown = false;
    this.#checkpoints = undefined;
    this.#state = { ...this.#state, offsetMs, source, held: null };
    const held = estimated?.held;
    if (estimated === undefined || held === null || held === undefined) return;
    const deltaMs = Math.round(offsetMs - estimated.offsetMs);
    const former = { startAt: held.startAt, endAt: Math.ceil(estimated.offsetMs + timeline.monotonicMs()), deltaMs };
    this.#state = { ...this.#state, former, settling: { ...former, fromId: held.fromId, toId: null } };
    log.warn({ source, byMs: deltaMs }, 'the clock is set: the records that waited for it get their time');
    if (this.#running) this.#settle();
    for (const listener of this.#listeners) listener();
  }

  #settle(): void {
    this.#settling = this.#settleRecords(() => this.#running);
    background(this.#settling, this.#parts.log, 'records were not re-timed');
  }

  #settleRecords(isRunning: () => boolean): Promise<void> {
    const { store, timeline: clock, log } = this.#parts;
    const setState = (state: ClockState): void => {
      this.#state = state;
      this.#hold?.releaseTo(heldFrom(state));
    };
    return settleRecords({ store, clock, log, state: () => this.#state, setState, isRunning });
  }

  /** Records that waited a day go as they are, with the flag that says so. */
  #letGoOfOld(): void {
    const { store, timeline, log } = this.#parts;
    const { held } = this.#state;
    const monotonicMs = timeline.monotonicMs();
    this.#checkpoints?.note({ id: store.head(), monotonicMs });
    const old = this.#checkpoints?.takeOld(monotonicMs);
    if (held === null || old === undefined || old.id <= held.fromId) return;
    this.#state = { ...this.#state, held: { ...held, fromId: old.id, sinceMs: old.monotonicMs } };
    this.#hold?.releaseTo(heldFrom(this.#state));
    background(this.#save(), log, 'the state of the clock was not saved');
  }

  async #save(): Promise<void> {
    const { store, timeline } = this.#parts;
    this.#state = { ...this.#state, offsetMs: timeline.offsetMs, systemOffsetMs: timeline.systemOffsetMs };
    await store.saveClockState(JSON.stringify(this.#state));
  }
}
