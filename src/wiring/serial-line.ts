import { isDeepStrictEqual } from 'node:util';
import { createLineDecoder, type LineDecoder } from '../decode/lines/line-decoder.ts';
import type { LineFrame, Rejection } from '../model/frame.ts';
import type { PortSettings, SerialSourceSettings } from '../model/plan.ts';
import type { Measurement } from '../model/record.ts';
import { every, type Timer } from '../runtime/clock.ts';
import { background, type Service } from '../runtime/lifecycle.ts';
import { SerialPortSource, type PortState } from '../sources/serial/serial-port-source.ts';
import type { Acceptance } from './acceptance.ts';
import type { Deps } from './deps.ts';

interface Listener {
  readonly settings: SerialSourceSettings;
  readonly decoder: LineDecoder;
  readonly poll: Timer | null;
}

/** One serial port with the `cigale-serial` nodes that listen to it. Changing a node leaves the port open. */
export class SerialLine implements Service {
  readonly settings: PortSettings;
  readonly #acceptance: Acceptance;
  readonly #deps: Deps;
  readonly #port: SerialPortSource;
  #listeners: readonly Listener[] = [];
  #state: PortState = { state: 'opening', since: 0, code: null, detail: '' };
  #openedMs = 0;

  constructor(settings: PortSettings, acceptance: Acceptance, deps: Deps) {
    this.settings = settings;
    this.#acceptance = acceptance;
    this.#deps = deps;
    this.#port = new SerialPortSource(
      settings,
      {
        onFrames: (frames) => this.#onFrames(frames),
        onRejected: (rejection) => this.#rejectedByAll(rejection),
        onState: (state) => this.#onState(state),
      },
      deps,
    );
  }

  get state(): PortState {
    return this.#state;
  }

  /** Monotonic instant of the last opening. */
  get openedMs(): number {
    return this.#openedMs;
  }

  /** The nodes on this port; one that did not change keeps its decoder (a learnt header line) and its poll timer. */
  setSources(sources: readonly SerialSourceSettings[]): void {
    this.#acceptance.gaps.watch(this.settings.nodeId, sources);
    const before = this.#listeners;
    const kept = new Set<Listener>();
    this.#listeners = sources.map((settings) => {
      const same = before.find((listener) => isDeepStrictEqual(listener.settings, settings));
      if (same !== undefined) kept.add(same);
      return same ?? { settings, decoder: createLineDecoder(settings), poll: this.#startPoll(settings) };
    });
    for (const listener of before) if (!kept.has(listener)) listener.poll?.cancel();
  }

  start(): Promise<void> {
    return this.#port.start();
  }

  async stop(): Promise<void> {
    for (const { poll } of this.#listeners) poll?.cancel();
    await this.#port.stop();
    this.#acceptance.gaps.unwatch(this.settings.nodeId);
  }

  #startPoll({ poll }: SerialSourceSettings): Timer | null {
    if (poll === null) return null;
    const command = Buffer.from(poll.command + this.settings.delimiter, 'latin1');
    return every(this.#deps.clock, poll.everyMs, () => {
      if (this.#state.state === 'open')
        background(this.#port.write(command), this.#deps.log, 'a poll could not be written');
    });
  }

  #onState(state: PortState): void {
    this.#state = state;
    this.#acceptance.gaps.portChanged(this.settings.nodeId, state.state === 'open');
    if (state.state === 'open') this.#openedMs = this.#deps.clock.monotonicMs();
  }

  #onFrames(frames: readonly LineFrame[]): void {
    const heard = new Uint8Array(frames.length);
    for (const listener of this.#listeners) this.#decode(listener, frames, heard);
    for (const [index, frame] of frames.entries()) if (heard[index] === 0) this.#wrongAddress(frame);
  }

  #decode({ settings, decoder }: Listener, frames: readonly LineFrame[], heard: Uint8Array): void {
    const measurements: Measurement[] = [];
    for (const [index, frame] of frames.entries()) {
      const outcome = decoder.decode(frame);
      if (outcome === 'other-address') continue;
      heard[index] = 1;
      if (outcome.rejection === null) measurements.push(...outcome.measurements);
      else this.#reject(settings.nodeId, outcome.rejection);
    }
    this.#acceptance.accept(settings.nodeId, measurements);
  }

  #reject(source: string, rejection: Rejection): void {
    this.#deps.metrics.count('cigale_frames_rejected_total', 'Frames that gave no sample', {
      source,
      reason: rejection.reason,
    });
    this.#deps.log.debug({ source, ...rejection }, 'a line was rejected');
    this.#acceptance.rejected(source, rejection);
  }

  /** Lines that no node's address matches: one counter for the port. */
  #wrongAddress(frame: LineFrame): void {
    if (this.#listeners.length === 0) return;
    const reason = 'wrong-address';
    this.#deps.metrics.count('cigale_frames_rejected_total', 'Frames that gave no sample', {
      source: this.settings.nodeId,
      reason,
    });
    this.#deps.log.debug({ port: this.settings.path, bytes: frame.bytes.length }, 'a line is of no configured address');
  }

  /** What the port itself dropped (too long, half a line): counted there, shown to every node on it. */
  #rejectedByAll(rejection: Rejection): void {
    for (const { settings } of this.#listeners) this.#acceptance.rejected(settings.nodeId, rejection);
  }
}
