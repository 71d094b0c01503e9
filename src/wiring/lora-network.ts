import { CodecRunner } from '../decode/codec/codec-runner.ts';
import { toMeasurements } from '../decode/codec/uplink-measurements.ts';
import type { Device, Place } from '../model/device.ts';
import type { StoredUplink } from '../model/frame.ts';
import type { ConcentratorSettings, LoraSourceSettings } from '../model/plan.ts';
import type { Destination, LogEntry, Measurement, NewEntry } from '../model/record.ts';
import type { Timer } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { background, stopAll, type Service } from '../runtime/lifecycle.ts';
import type { HeardDevice } from '../sources/lora/heard-list.ts';
import { decryptUplink, UplinkGate } from '../sources/lora/uplink-gate.ts';
import { UdpConcentrator, type ConcentratorState } from '../sources/lora/udp-forwarder.ts';
import type { Store, UplinkOutcome } from '../store/store.ts';
import type { Acceptance } from './acceptance.ts';
import type { Deps } from './deps.ts';
import { EMPTY_VIEW, isSelected, placeAt, readRegistry, type RegistryView } from './lora-registry.ts';

const NO_ENTRIES: readonly NewEntry[] = [];
/** Accepted uplinks that could not be decoded or completed are tried again after this. */
const RETRY_MS = 60_000;

/** How long a frame waits for the codec, or the place, that somebody has yet to enter: as long as raw frames are kept. */
const WAIT_FOR_REGISTRY_MS = 7 * 86_400_000;

/** What an uplink came to; no place where nothing did. */
interface Measured {
  readonly result: UplinkOutcome['result'];
  readonly measurements: readonly Measurement[];
  readonly place?: Place;
}

/** Concentrators, the uplink gate and the codecs: from a datagram to samples, with the raw frame on disk in between. */
export class LoraNetwork implements Service {
  readonly #store: Store;
  readonly #acceptance: Acceptance;
  readonly #deps: Deps;
  readonly #codecs: CodecRunner;
  readonly #gate: UplinkGate;
  readonly #concentrators = new Map<string, UdpConcentrator>();
  readonly #states = new Map<string, ConcentratorState>();
  readonly #lastHeardMs = new Map<string, number>();
  #sources: readonly LoraSourceSettings[] = [];
  #view: RegistryView = EMPTY_VIEW;
  #decoding: Promise<void> = Promise.resolve();
  /** Uplinks being decoded, or decoded and on their way to disk, by id. */
  readonly #open = new Map<number, Promise<void>>();
  /** Ids of undecoded uplinks that wait for the registry; the store bounds how many there can be. */
  readonly #waiting = new Set<number>();
  #retry: Timer | undefined;
  #refreshed: Promise<void> = Promise.resolve();
  #unsubscribe: () => void = () => undefined;

  constructor(store: Store, acceptance: Acceptance, deps: Deps) {
    this.#store = store;
    this.#acceptance = acceptance;
    this.#deps = deps;
    this.#codecs = new CodecRunner(deps);
    this.#gate = new UplinkGate({ store, onAccepted: (uplink) => this.#accepted(uplink), ...deps });
  }

  get view(): RegistryView {
    return this.#view;
  }

  get heard(): readonly HeardDevice[] {
    return this.#gate.heard();
  }

  stateOf(concentrator: string): ConcentratorState | undefined {
    return this.#states.get(concentrator);
  }

  /** Bound UDP port of a concentrator; 0 when it is not bound. */
  portOf(concentrator: string): number {
    return this.#concentrators.get(concentrator)?.address()?.port ?? 0;
  }

  /** Monotonic instant of a device's last accepted uplink. */
  lastHeardMs(device: string): number | undefined {
    return this.#lastHeardMs.get(device);
  }

  async start(): Promise<void> {
    await this.#refresh();
    // Where a device hung at a time that nobody knew is known with the time.
    this.#deps.time?.onSet(() => background(this.#decodeWaiting(), this.#deps.log, 'frames could not be decoded'));
    this.#unsubscribe = this.#store.onRegistryChanged(() => {
      this.#refreshed = this.#refresh().then(() => this.#decodeWaiting());
      background(this.#refreshed, this.#deps.log, 'the registry could not be read again');
    });
  }

  /** Resolves once the last change of the registry is in force: the next frame of a new device is known. */
  async registryInForce(): Promise<void> {
    await Promise.allSettled([this.#refreshed]);
  }

  /**
   * Decodes uplinks that were accepted and not decoded when the process ended. To be called when the first plan is known: before
   * that nobody can say where their samples go.
   */
  async decodeLeftOver(): Promise<void> {
    for (const uplink of await this.#store.undecodedUplinks()) if (!this.#open.has(uplink.id)) this.#decodeNext(uplink);
  }

  /** Frames that waited for a codec or a place may have it now. */
  async #decodeWaiting(): Promise<void> {
    if (this.#waiting.size === 0) return;
    this.#waiting.clear();
    await this.decodeLeftOver();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    this.#retry?.cancel();
    await stopAll([...this.#concentrators.values()], this.#deps.log);
    this.#concentrators.clear();
    await this.#gate.stop();
    await Promise.all(this.#open.values());
    this.#retry?.cancel();
    await this.#codecs.stop();
  }

  setSources(sources: readonly LoraSourceSettings[]): void {
    this.#sources = sources;
  }

  async addConcentrator(settings: ConcentratorSettings): Promise<void> {
    const concentrator = new UdpConcentrator(
      settings,
      {
        onFrames: (frames) => this.#gate.hear(frames),
        onState: (state) => this.#states.set(settings.nodeId, state),
      },
      this.#deps,
    );
    this.#concentrators.set(settings.nodeId, concentrator);
    await concentrator.start();
  }

  async removeConcentrator(nodeId: string): Promise<void> {
    await this.#concentrators.get(nodeId)?.stop();
    this.#concentrators.delete(nodeId);
    this.#states.delete(nodeId);
  }

  async #refresh(): Promise<void> {
    this.#view = await readRegistry(this.#store);
    this.#gate.setSessions(this.#view.sessions);
    this.#gate.setJoinDevices(
      [...this.#view.devices.values()].filter((device) => device.lorawan === 'otaa').map((device) => device.devEui),
    );
    this.#codecs.setScripts(this.#view.codecs);
  }

  #accepted(uplink: StoredUplink): void {
    this.#lastHeardMs.set(uplink.device, this.#deps.clock.monotonicMs());
    this.#deps.time?.heard(uplink);
    this.#decodeNext(uplink);
  }

  /** One uplink after the other, so that samples of a device stay in order; their commits are shared, not waited for in turn. */
  #decodeNext(stored: StoredUplink): void {
    const receivedAt = this.#deps.time?.settled(stored.receivedAt) ?? stored.receivedAt;
    const uplink = { ...stored, receivedAt };
    const measured = this.#decoding.then(() => this.#measure(uplink));
    const completed = measured.then((outcome) => this.#complete(uplink, outcome));
    // Goes on after this one is decoded, and, whatever became of it, handed to the store: `#complete` ran as far as that.
    this.#decoding = measured.then(
      () => undefined,
      () => undefined,
    );
    const settled = completed
      .catch((error: unknown) => this.#retryLater(uplink, error))
      .finally(() => this.#open.delete(uplink.id));
    this.#open.set(uplink.id, settled);
  }

  /** The frame stays on disk, undecoded: what failed (a full queue, a codec worker that does not start) may pass. */
  #retryLater(uplink: StoredUplink, error: unknown): void {
    const { clock, log } = this.#deps;
    const facts = { uplink: uplink.id, error: messageOf(error) };
    if (this.#retry !== undefined) {
      log.debug(facts, 'an accepted uplink is not decoded yet');
      return;
    }
    log.error({ ...facts, retryInMs: RETRY_MS }, 'accepted uplinks are not decoded yet; they are tried again');
    this.#retry = clock.after(RETRY_MS, () => {
      this.#retry = undefined;
      background(this.decodeLeftOver(), log, 'undecoded uplinks could not be read');
    });
  }

  async #complete(uplink: StoredUplink, { result, measurements, place }: Measured): Promise<void> {
    const perNode = place === undefined ? [] : this.#entriesByNode(place, measurements);
    const entries = perNode.length === 0 ? NO_ENTRIES : perNode.map((item) => item.entry);
    if (this.#waitsForRegistry(uplink, result)) return;
    if (result !== 'decoded') this.#count(uplink, result);
    const accepted = await this.#store.completeUplink(uplink.id, { entries, result });
    this.#show(perNode, accepted);
  }

  /** A frame whose codec or place is not entered yet stays undecoded on disk: a technician often adds it minutes later. */
  #waitsForRegistry(uplink: StoredUplink, result: Measured['result']): boolean {
    if (result !== 'no-codec' && result !== 'no-place') return false;
    if (this.#deps.clock.nowMs() - uplink.receivedAt > WAIT_FOR_REGISTRY_MS) return false;
    if (!this.#waiting.has(uplink.id)) this.#count(uplink, result);
    this.#waiting.add(uplink.id);
    return true;
  }

  async #measure(uplink: StoredUplink): Promise<Measured> {
    const device = this.#view.devices.get(uplink.device);
    const keys = this.#view.sessions.find((session) => session.device === uplink.device)?.keys;
    const place = placeAt(this.#view, uplink.device, uplink.receivedAt);
    if (device === undefined || keys === undefined || place === undefined)
      return { result: 'no-place', measurements: [] };
    const { fPort, payload } = decryptUplink(uplink, keys);
    if (fPort === null || fPort === 0) return { result: 'mac-only', measurements: [] };
    const codec = device.codec === '' ? device.model : device.codec;
    const outcome = await this.#codecs.decode(codec, { bytes: payload, fPort, recvTime: uplink.receivedAt });
    if (!outcome.ok) {
      this.#deps.log.warn(
        { device: device.id, codec, reason: outcome.reason, errors: outcome.errors },
        'an uplink was not decoded',
      );
      return { result: outcome.reason === 'missing' ? 'no-codec' : 'decoder-error', measurements: [] };
    }
    return { result: 'decoded', measurements: this.#toMeasurements(device, place, uplink, outcome.data), place };
  }

  #toMeasurements(device: Device, place: Place, uplink: StoredUplink, data: unknown): readonly Measurement[] {
    const { measurements, missing } = toMeasurements({ device, place: place.id, data, uplink });
    if (missing.length > 0)
      this.#deps.log.debug({ device: device.id, missing }, 'fields are absent from the decoded uplink');
    return measurements;
  }

  /** Each measurement once in the log, with the destinations of every `cigale-lora` node that selects it. */
  #entriesByNode(place: Place, measurements: readonly Measurement[]): { entry: NewEntry; nodes: readonly string[] }[] {
    return measurements.map((measurement) => {
      const nodes = this.#sources
        .filter((source) => isSelected(source, place, measurement.quantity))
        .map((source) => source.nodeId);
      const to = new Set<Destination>(nodes.flatMap((node) => this.#acceptance.destinationsOf(node, 0)));
      return { entry: this.#acceptance.entryOf(measurement, [...to].toSorted()), nodes };
    });
  }

  #show(perNode: readonly { nodes: readonly string[] }[], accepted: readonly LogEntry[]): void {
    const byNode = new Map<string, LogEntry[]>();
    for (const [index, entry] of accepted.entries()) {
      for (const node of perNode[index]?.nodes ?? []) byNode.set(node, [...(byNode.get(node) ?? []), entry]);
    }
    for (const [node, entries] of byNode) this.#acceptance.accepted(node, entries);
  }

  #count(uplink: StoredUplink, reason: string): void {
    this.#deps.metrics.count('cigale_uplinks_undecoded_total', 'Accepted uplinks that gave no sample', {
      device: uplink.device,
      reason,
    });
  }
}
