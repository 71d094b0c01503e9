import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { ConcentratorSettings } from '../../model/plan.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { messageOf, systemCode } from '../../runtime/errors.ts';
import type { Service } from '../../runtime/lifecycle.ts';
import type { Log } from '../../runtime/log.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { Backoff } from '../../runtime/retry.ts';
import { ConcentratorList, type HeardConcentrator, type UdpAddress } from './concentrator-list.ts';
import type { HeardFrame } from './heard-frame.ts';
import { countRejected, type LoraRejectReason } from './lora-reject.ts';
import { readPushData } from './push-data.ts';

export interface ConcentratorState {
  /** Id of the `cigale-concentrator` node. */
  readonly node: string;
  /** Where the port is bound; null while it is not. */
  readonly address: UdpAddress | null;
  readonly fault: 'LORA_BIND_FAILED' | null;
  /** For people: what the system said, in English; empty without a fault. */
  readonly detail: string;
  readonly concentrators: readonly HeardConcentrator[];
}

export interface ConcentratorEvents {
  /** The radio frames of one datagram, never none. Must not throw. */
  onFrames(frames: readonly HeardFrame[]): void;
  /** The port was bound or lost, or a concentrator was heard for the first time. */
  onState(state: ConcentratorState): void;
}

export interface ConcentratorDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

const MAX_DATAGRAM_BYTES = 8192;
/** A flood must not push the frames of good sensors out of the kernel's queue; the kernel caps it at `rmem_max`. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
/** Answers waiting in the socket; beyond it a forwarder does without its acknowledgement (it never retries). */
const MAX_UNSENT_ANSWERS = 256;
const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 60_000;

const HEADER_BYTES = 4;
const EUI_END = 12;
const PUSH_DATA = 0;
const PUSH_ACK = 1;
const PULL_DATA = 2;
const PULL_ACK = 4;

/**
 * Server side of the Semtech UDP packet forwarder protocol (PROTOCOL.TXT 1.4, sx1302_hal PROTOCOL.md 1.6), versions 1 and 2.
 * The protocol has no authentication: bind to loopback, or give the allowed EUIs.
 */
export class UdpConcentrator implements Service {
  readonly #settings: ConcentratorSettings;
  readonly #events: ConcentratorEvents;
  readonly #deps: ConcentratorDeps;
  readonly #allowed: ReadonlySet<string>;
  readonly #concentrators = new ConcentratorList();
  readonly #backoff = new Backoff({ firstMs: RETRY_FIRST_MS, maxMs: RETRY_MAX_MS, jitter: 0, random: () => 0 });
  #running = false;
  #socket: Socket | null = null;
  #retry: Timer | null = null;
  #bound: UdpAddress | null = null;
  #detail = '';

  constructor(settings: ConcentratorSettings, events: ConcentratorEvents, deps: ConcentratorDeps) {
    this.#settings = settings;
    this.#events = events;
    this.#deps = deps;
    this.#allowed = new Set(settings.gateways.map((eui) => eui.toLowerCase()));
  }

  /** Resolves after the first attempt to bind, whatever its outcome: a port in use is tried again. */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    await this.#bind();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#retry?.cancel();
    this.#retry = null;
    const socket = this.#socket;
    this.#socket = null;
    this.#bound = null;
    if (socket !== null) await new Promise<void>((resolve) => socket.close(resolve));
  }

  /** Where the port is bound (with the port the system chose for port 0), or null. */
  address(): UdpAddress | null {
    return this.#bound;
  }

  /** Where a concentrator awaits downlinks: the source of its last PULL_DATA, until it falls silent. */
  pullAddress(eui: string): UdpAddress | undefined {
    return this.#concentrators.pullAddress(eui, this.#deps.clock.monotonicMs());
  }

  state(): ConcentratorState {
    return {
      node: this.#settings.nodeId,
      address: this.#bound,
      fault: this.#detail === '' ? null : 'LORA_BIND_FAILED',
      detail: this.#detail,
      concentrators: this.#concentrators.list(),
    };
  }

  #bind(): Promise<void> {
    const { bind, port } = this.#settings;
    const socket = createSocket({
      type: bind.includes(':') ? 'udp6' : 'udp4',
      recvBufferSize: RECEIVE_BUFFER_BYTES,
    });
    this.#socket = socket;
    socket.on('message', (datagram, peer) => this.#receive(socket, datagram, peer));
    return new Promise((resolve) => {
      socket.on('error', (error) => {
        this.#lose(socket, error);
        resolve();
      });
      socket.once('listening', () => {
        this.#listening(socket);
        resolve();
      });
      socket.bind({ address: bind, port, exclusive: true });
    });
  }

  #listening(socket: Socket): void {
    const { address, port } = socket.address();
    this.#bound = { address, port };
    this.#detail = '';
    this.#backoff.reset();
    this.#deps.log.info({ node: this.#settings.nodeId, address, port }, 'concentrator port bound');
    this.#events.onState(this.state());
  }

  #lose(socket: Socket, error: Error): void {
    if (!this.#running || this.#socket !== socket) return;
    this.#socket = null;
    this.#bound = null;
    this.#detail = messageOf(error).slice(0, 200);
    socket.close();
    const delayMs = this.#backoff.nextDelayMs();
    const { nodeId, bind, port } = this.#settings;
    this.#deps.log.warn(
      { node: nodeId, code: 'LORA_BIND_FAILED', cause: systemCode(error) ?? '', bind, port, retryInMs: delayMs },
      'concentrator port not bound',
    );
    this.#retry = this.#deps.clock.after(delayMs, () => {
      if (this.#running) void this.#bind();
    });
    this.#events.onState(this.state());
  }

  #receive(socket: Socket, datagram: Buffer, peer: RemoteInfo): void {
    if (this.#socket !== socket) return;
    const reason = this.#handle(socket, datagram, peer);
    if (reason !== null) this.#reject(reason);
  }

  #handle(socket: Socket, datagram: Buffer, peer: RemoteInfo): LoraRejectReason | null {
    if (datagram.length > MAX_DATAGRAM_BYTES) return 'too-long';
    const version = datagram[0] ?? 0;
    if (datagram.length < EUI_END || (version !== 1 && version !== 2)) return 'malformed';
    const eui = datagram.toString('hex', HEADER_BYTES, EUI_END);
    if (this.#allowed.size > 0 && !this.#allowed.has(eui)) return 'forbidden-gateway';
    switch (datagram.readUInt8(3)) {
      case PUSH_DATA:
        // Before anything is parsed: the forwarder waits 100 ms and counts a late answer as a loss.
        this.#answer(socket, datagram, PUSH_ACK, peer);
        return this.#push(eui, datagram.subarray(EUI_END));
      case PULL_DATA:
        this.#answer(socket, datagram, PULL_ACK, peer);
        this.#heard(eui);
        this.#concentrators.setPullAddress(eui, { address: peer.address, port: peer.port }, this.#now());
        return null;
      default:
        return 'unexpected';
    }
  }

  #push(eui: string, body: Uint8Array): LoraRejectReason | null {
    const push = readPushData(body, eui);
    if (typeof push === 'string') return push;
    this.#heard(eui);
    const receivedAt = this.#deps.clock.nowMs();
    if (push.stat !== null) this.#concentrators.setStat(eui, push.stat, receivedAt);
    if (push.surplus > 0) this.#reject('too-many', push.surplus);
    const frames: HeardFrame[] = [];
    for (const packet of push.packets) {
      if (packet.kind === 'rejected') this.#reject(packet.reason);
      else frames.push({ phyPayload: packet.phyPayload, reception: packet.reception, receivedAt });
    }
    if (frames.length > 0) this.#events.onFrames(frames);
    return null;
  }

  #answer(socket: Socket, request: Buffer, type: number, peer: RemoteInfo): void {
    if (socket.getSendQueueCount() >= MAX_UNSENT_ANSWERS) {
      this.#countUnanswered();
      return;
    }
    const answer = Buffer.of(request[0] ?? 2, request[1] ?? 0, request[2] ?? 0, type);
    socket.send(answer, peer.port, peer.address, (error) => {
      if (error !== null) this.#countUnanswered();
    });
  }

  #countUnanswered(): void {
    this.#deps.metrics.count('cigale_concentrator_unanswered_total', 'Datagrams whose acknowledgement was not sent', {
      source: this.#settings.nodeId,
    });
  }

  #heard(eui: string): void {
    const outcome = this.#concentrators.heard(eui, this.#deps.clock.nowMs(), this.#now());
    if (outcome === 'full')
      this.#deps.metrics.count('cigale_concentrators_untracked_total', 'Datagrams of concentrators beyond the bound', {
        source: this.#settings.nodeId,
      });
    if (outcome === 'new') this.#events.onState(this.state());
  }

  #reject(reason: LoraRejectReason, amount = 1): void {
    countRejected(this.#deps.metrics, this.#settings.nodeId, reason, amount);
  }

  #now(): number {
    return this.#deps.clock.monotonicMs();
  }
}
