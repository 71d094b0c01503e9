import { excerptOf } from '../../model/excerpt.ts';
import type { LineFrame, Rejection } from '../../model/frame.ts';
import type { PortSettings } from '../../model/plan.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { GatewayError, messageOf } from '../../runtime/errors.ts';
import { background, type Service } from '../../runtime/lifecycle.ts';
import type { Log } from '../../runtime/log.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { Backoff } from '../../runtime/retry.ts';
import { LineFramer } from './line-framer.ts';
import { failedState, type PortState } from './port-state.ts';
import { PortCounters } from './port-counters.ts';
import { tcpTransport } from './tcp-transport.ts';
import { TORN_WINDOW_MS, TornStart } from './torn-start.ts';
import type { Link, Transport } from './transport.ts';
import { ttyTransport } from './tty-transport.ts';

export type { PortState } from './port-state.ts';

const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 5000;
const DEFAULT_READ_INTERVAL_MS = 50;

export interface SerialPortEvents {
  /** Whole lines, all that one read completed; never empty. */
  onFrames(frames: readonly LineFrame[]): void;
  onRejected(rejection: Rejection): void;
  onState(state: PortState): void;
}

export interface SerialPortDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** 0 ≤ x < 1; spreads reconnections. */
  readonly random: () => number;
  /** Reads are gathered over this time, default 50 ms: the resolution of `receivedAt`. 0 reads at once. */
  readonly readIntervalMs?: number;
  /** Bytes that come sooner after opening may be the rest of a torn line, default 100 ms; 0 takes every first line as whole. */
  readonly tornWindowMs?: number;
}

/**
 * One serial port or serial server as a stream of whole lines. A port that is missing, busy or unplugged is a state,
 * not an error: it is opened again by itself, for ever. Half a line never survives a reconnection.
 */
export class SerialPortSource implements Service {
  readonly #settings: PortSettings;
  readonly #events: SerialPortEvents;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #transport: Transport;
  readonly #counters: PortCounters;
  readonly #backoff: Backoff;
  readonly #tornWindowMs: number;
  #state: PortState | null = null;
  #link: Link | null = null;
  #abort = new AbortController();
  #interrupt: () => void = () => undefined;
  #work: Promise<void> | null = null;

  constructor(settings: PortSettings, events: SerialPortEvents, deps: SerialPortDeps) {
    const { clock, random, readIntervalMs = DEFAULT_READ_INTERVAL_MS } = deps;
    this.#settings = settings;
    this.#events = events;
    this.#clock = clock;
    this.#log = deps.log.child({ port: settings.path });
    this.#counters = new PortCounters(settings.nodeId, deps.metrics);
    this.#tornWindowMs = deps.tornWindowMs ?? TORN_WINDOW_MS;
    this.#backoff = new Backoff({ firstMs: FIRST_RETRY_MS, maxMs: MAX_RETRY_MS, jitter: 0.5, random });
    this.#transport = settings.path.startsWith('tcp:')
      ? tcpTransport(settings.path, clock, readIntervalMs)
      : ttyTransport(settings, clock, readIntervalMs);
  }

  /** Resolves at once: whether the port is there is told by `onState`. */
  start(): Promise<void> {
    if (this.#work !== null) return Promise.resolve();
    this.#abort = new AbortController();
    this.#work = this.#run(this.#abort.signal);
    background(this.#work, this.#log, 'the serial port ended');
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#interrupt();
    await this.#work;
    this.#work = null;
  }

  /** Sends a poll command; rejects with a `GatewayError` when the port is not open or does not take it. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#link === null) throw new GatewayError('SERIAL_DISCONNECTED', `${this.#settings.path} is not open`);
    await this.#link.write(bytes);
  }

  async #run(signal: AbortSignal): Promise<void> {
    this.#enter({ state: 'opening', since: this.#clock.nowMs(), code: null, detail: '' });
    while (!signal.aborted) {
      const failure = await this.#session(signal);
      if (signal.aborted) break;
      this.#enter(failedState(failure, this.#clock.nowMs()));
      await this.#wait(this.#backoff.nextDelayMs());
    }
    this.#state = null;
  }

  /** One connection, from opening to its end; gives the cause of that. */
  async #session(signal: AbortSignal): Promise<GatewayError> {
    const ended = Promise.withResolvers<GatewayError>();
    const framer = this.#createFramer();
    let openedMs = this.#clock.monotonicMs();
    let torn: TornStart | null | undefined;
    const onBytes = (bytes: Buffer): void => {
      this.#backoff.reset();
      this.#counters.bytes(bytes.length);
      torn ??= this.#tornStart(openedMs);
      const whole = torn === null ? bytes : torn.push(bytes);
      if (whole === undefined) return;
      if (torn !== null) this.#startedWithin(torn);
      torn = null;
      framer.push(whole, this.#clock.nowMs());
    };
    let link: Link;
    try {
      link = await this.#transport({ onBytes, onClosed: ended.resolve }, signal);
    } catch (error) {
      return error instanceof GatewayError ? error : new GatewayError('INTERNAL', messageOf(error), { cause: error });
    }
    openedMs = this.#clock.monotonicMs();
    this.#interrupt = () => ended.resolve(new GatewayError('SERIAL_DISCONNECTED', 'stopped'));
    if (signal.aborted) this.#interrupt();
    else this.#opened(link);
    const cause = await ended.promise;
    this.#link = null;
    await link.close();
    framer.end(this.#clock.nowMs());
    return cause;
  }

  /** null: the port was quiet when it was opened, so its first line is whole. */
  #tornStart(openedMs: number): TornStart | null {
    if (this.#clock.monotonicMs() - openedMs >= this.#tornWindowMs) return null;
    return new TornStart(Buffer.from(this.#settings.delimiter, 'latin1'));
  }

  #startedWithin({ discarded }: TornStart): void {
    this.#counters.rejected('stale');
    this.#events.onRejected({
      reason: 'stale',
      detail: 'the port was opened within this line: its beginning is unknown',
      excerpt: excerptOf(discarded),
      receivedAt: this.#clock.nowMs(),
    });
  }

  #opened(link: Link): void {
    this.#link = link;
    this.#enter({ state: 'open', since: this.#clock.nowMs(), code: null, detail: '' });
  }

  #createFramer(): LineFramer {
    const { delimiter, maxFrameBytes } = this.#settings;
    return new LineFramer(delimiter, maxFrameBytes, {
      onFrames: (frames) => {
        this.#counters.frames(frames.length);
        this.#events.onFrames(frames);
      },
      onRejected: (rejection) => {
        this.#counters.rejected(rejection.reason);
        this.#events.onRejected(rejection);
      },
      onEmpty: () => this.#counters.rejected('empty'),
      onDiscarded: (bytes) => this.#counters.discarded(bytes),
    });
  }

  /** Told on change only: a port that is still missing at the next attempt is no news. */
  #enter(next: PortState): void {
    const now = this.#state;
    if (now?.state === next.state && now.code === next.code) return;
    this.#state = next;
    const { state, code, detail } = next;
    if (code === null) this.#log.info({ state }, 'serial port changed state');
    else this.#log.warn({ state, code, detail }, 'serial port is not usable, trying again');
    this.#events.onState(next);
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer: Timer = this.#clock.after(delayMs, resolve);
      this.#interrupt = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
