import { systemClock } from '../../src/runtime/clock.ts';
import { LineServer } from '../../src/sources/simulate/line-server.ts';
import { SimulatedDevice } from '../../src/sources/simulate/lora-device.ts';
import { SimulatedForwarder } from '../../src/sources/simulate/packet-forwarder.ts';
import { KILL_DEVICE } from './kill-flow.ts';

const LINE_PERIOD_MS = 10;
const FRAME_PERIOD_MS = 40;

/**
 * Numbered samples by TCP line and LoRaWAN frame; never killed. A frame is repeated with its counter, as a device does that
 * waits for an answer, until its number arrived upstream: so a frame that was accepted and then lost shows as one that never comes.
 */
export class NumberedGenerator {
  readonly #random: () => number;
  readonly #line = new LineServer('127.0.0.1', 0);
  readonly #device = new SimulatedDevice(KILL_DEVICE, 0);
  readonly #forwarder: SimulatedForwarder;
  #timers: NodeJS.Timeout[] = [];
  #nextLine = 0;
  #frame: Uint8Array | undefined;
  /** Number of the frame on the air. */
  frameNumber = 0;
  linesSent = 0;

  constructor(udpPort: number, random: () => number) {
    this.#random = random;
    this.#forwarder = new SimulatedForwarder({
      host: '127.0.0.1',
      port: udpPort,
      gatewayEui: 'aa555a00000000ff',
      clock: systemClock,
      random,
    });
  }

  get linePort(): number {
    return this.#line.port;
  }

  async start(): Promise<void> {
    await this.#line.start();
    await this.#forwarder.start();
    this.#timers = [
      setInterval(() => this.#sendLine(), LINE_PERIOD_MS),
      setInterval(() => this.#sendFrame(), FRAME_PERIOD_MS),
    ];
  }

  /** The sample of the frame on the air arrived upstream: on to the next. */
  arrived(frameNumber: number): void {
    if (frameNumber !== this.frameNumber) return;
    this.frameNumber += 1;
    this.#frame = undefined;
  }

  pause(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }

  /** Goes on repeating the frame on the air, nothing new by line. */
  repeatFrames(): void {
    this.#timers = [setInterval(() => this.#sendFrame(), FRAME_PERIOD_MS)];
  }

  async stop(): Promise<void> {
    this.pause();
    await this.#forwarder.stop();
    await this.#line.stop();
  }

  #sendLine(): void {
    const level = 45 + 30 * this.#random();
    if (this.#line.send(`${this.#nextLine},${level.toFixed(1)}\r\n`) > 0) this.linesSent += 1;
    this.#nextLine += 1;
  }

  #sendFrame(): void {
    this.#frame ??= this.#newFrame();
    this.#forwarder.push([this.#frame]);
  }

  #newFrame(): Uint8Array {
    const payload = Buffer.alloc(7);
    payload.writeUInt32BE(this.frameNumber, 0);
    payload.writeUInt16BE(200 + Math.floor(this.#random() * 150), 4);
    payload[6] = Math.floor(this.#random() * 20);
    return this.#device.uplink(5, payload, this.#random() < 0.5);
  }
}
