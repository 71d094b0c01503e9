import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, closeSync, rmSync, writeSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import type { LineFrame, Rejection } from '../../src/model/frame.ts';
import type { PortSettings } from '../../src/model/plan.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { SerialPortSource, type PortState } from '../../src/sources/serial/serial-port-source.ts';
import { memoryLog } from '../fakes/silent-log.ts';

const DEADLINE_MS = 15_000;

/** Resolves when `condition` holds; fails with what it was waiting for after the deadline. */
export async function until(what: string, condition: () => boolean, deadlineMs = DEADLINE_MS): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const portSettings = (path: string, overrides: Partial<PortSettings> = {}): PortSettings => ({
  nodeId: 'port-1',
  name: '',
  path,
  baudRate: 9600,
  dataBits: 8,
  parity: 'none',
  stopBits: 1,
  framing: 'line',
  delimiter: '\r\n',
  maxFrameBytes: 1024,
  ...overrides,
});

/** A source with everything it told. */
export class Bench {
  readonly frames: LineFrame[] = [];
  readonly batches: number[] = [];
  readonly rejections: Rejection[] = [];
  readonly states: PortState[] = [];
  readonly metrics = new Metrics();
  readonly log = memoryLog();
  readonly source: SerialPortSource;

  constructor(settings: PortSettings, readIntervalMs = 5, tornWindowMs = 0) {
    const events = {
      onFrames: (frames: readonly LineFrame[]): void => {
        this.batches.push(frames.length);
        this.frames.push(...frames);
      },
      onRejected: (rejection: Rejection): void => void this.rejections.push(rejection),
      onState: (state: PortState): void => void this.states.push(state),
    };
    const { log, metrics } = this;
    this.source = new SerialPortSource(settings, events, {
      clock: systemClock,
      log,
      metrics,
      random: () => 0.5,
      readIntervalMs,
      tornWindowMs,
    });
  }

  get state(): string {
    return this.states.at(-1)?.state ?? 'none';
  }

  get lines(): string[] {
    return this.frames.map((frame) => Buffer.from(frame.bytes).toString('latin1'));
  }

  rejected(reason: string): number {
    return this.metrics.value('cigale_frames_rejected_total', { source: 'port-1', reason });
  }

  async open(): Promise<this> {
    await this.source.start();
    await until('the port is open', () => this.state === 'open');
    return this;
  }
}

/** Two ptys joined by socat: what is written to `sensor` comes in at `gateway`. Ending socat unplugs both. */
export class PtyPair {
  readonly folder = mkdtempSync(join(tmpdir(), 'cigale-pty-'));
  readonly gateway = join(this.folder, 'gateway');
  readonly sensor = join(this.folder, 'sensor');
  #socat: ChildProcess | null = null;
  #sensorFd: number | null = null;

  async plug(): Promise<this> {
    const ends = [this.gateway, this.sensor].map((link) => `pty,link=${link},raw,echo=0`);
    this.#socat = spawn('socat', ends, { stdio: 'ignore' });
    await until('socat made its ptys', () => existsSync(this.gateway) && existsSync(this.sensor));
    this.#sensorFd = openSync(this.sensor, 'r+');
    return this;
  }

  async unplug(): Promise<void> {
    if (this.#sensorFd !== null) closeSync(this.#sensorFd);
    this.#sensorFd = null;
    if (this.#socat === null) return;
    const gone = once(this.#socat, 'exit');
    this.#socat.kill('SIGKILL');
    await gone;
    this.#socat = null;
    rmSync(this.gateway, { force: true });
    rmSync(this.sensor, { force: true });
  }

  write(bytes: string | Uint8Array): void {
    if (this.#sensorFd === null) throw new Error('not plugged');
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    for (let at = 0; at < data.length;) at += writeSync(this.#sensorFd, data, at);
  }

  async remove(): Promise<void> {
    await this.unplug();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A serial server on a free port of the loopback. */
export class SerialServer {
  readonly sockets = new Set<Socket>();
  readonly received: Buffer[] = [];
  #server: Server | null = null;
  #port = 0;

  async start(): Promise<this> {
    this.#server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('data', (bytes) => this.received.push(bytes));
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.sockets.delete(socket));
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  get path(): string {
    return `tcp://127.0.0.1:${this.#port}`;
  }

  write(bytes: string | Uint8Array): void {
    for (const socket of this.sockets) socket.write(bytes);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    const server = this.#server;
    this.#server = null;
    if (server !== null) await new Promise((resolve) => server.close(resolve));
  }
}
