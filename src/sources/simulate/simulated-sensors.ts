import { every, type Clock, type Timer } from '../../runtime/clock.ts';
import type { Service } from '../../runtime/lifecycle.ts';
import { SimulatedCity } from './city.ts';
import type { CounterFile } from './counter-file.ts';
import { LineServer } from './line-server.ts';
import { SimulatedDevice, type DeviceIdentity } from './lora-device.ts';
import { SimulatedForwarder } from './packet-forwarder.ts';

const NOISE_INTERVAL_MS = 1000;
const COUNT_PORT = 2;
const HEAT_PORT = 3;

/** The devices of `flows/demo/registry.csv`; their keys are published there and protect nothing. */
export interface DemoDevice {
  readonly name: string;
  readonly identity: DeviceIdentity;
  readonly kind: 'count' | 'heat';
  /** Heat that the site adds to the reference, K. */
  readonly heatIslandK: number;
}

const identity = (number: string): DeviceIdentity => ({
  devAddr: `0000c1${number}`,
  nwkSKey: number.padStart(32, 'a0'),
  appSKey: number.padStart(32, 'b1'),
});

export const DEMO_DEVICES: readonly DemoDevice[] = [
  { name: 'compteur-1', identity: identity('01'), kind: 'count', heatIslandK: 0 },
  { name: 'station-centre', identity: identity('11'), kind: 'heat', heatIslandK: 3 },
  { name: 'station-gare', identity: identity('12'), kind: 'heat', heatIslandK: 2 },
  { name: 'station-etang', identity: identity('13'), kind: 'heat', heatIslandK: 0 },
];

export interface SensorOptions {
  readonly host: string;
  /** TCP port of the noise meter's serial server; 0 takes a free one. */
  readonly serialPort: number;
  /** UDP port of the gateway's concentrator input. */
  readonly udpPort: number;
  readonly seed: number;
  readonly loraIntervalMs: number;
  readonly counters: CounterFile;
  readonly clock: Clock;
  readonly random: () => number;
}

/** A noise meter on a serial server, a counter and three heat stations over LoRaWAN: simulated things, real protocols. */
export class SimulatedSensors implements Service {
  readonly #options: SensorOptions;
  readonly #city: SimulatedCity;
  readonly #line: LineServer;
  readonly #forwarder: SimulatedForwarder;
  readonly #devices: readonly { readonly about: DemoDevice; readonly radio: SimulatedDevice }[];
  #timers: readonly Timer[] = [];

  constructor(options: SensorOptions) {
    const { host, udpPort, clock, random } = options;
    this.#options = options;
    this.#city = new SimulatedCity(options.seed);
    this.#line = new LineServer(host, options.serialPort);
    this.#forwarder = new SimulatedForwarder({ host, port: udpPort, gatewayEui: 'aa555a0000000001', clock, random });
    this.#devices = DEMO_DEVICES.map((about) => ({
      about,
      radio: new SimulatedDevice(about.identity, options.counters.first(about.name)),
    }));
  }

  /** Port of the noise meter's serial server. */
  get serialPort(): number {
    return this.#line.port;
  }

  /** Binds the serial server; nothing is sent before `run`. */
  async start(): Promise<void> {
    await this.#line.start();
    await this.#forwarder.start();
  }

  /** Begins to send: the noise meter each second, the devices in turn within their interval. */
  run(): void {
    const { clock, loraIntervalMs } = this.#options;
    for (const { about, radio } of this.#devices) this.#transmit(about, radio);
    let turn = 0;
    this.#timers = [
      every(clock, NOISE_INTERVAL_MS, () => this.#sendNoise()),
      every(clock, loraIntervalMs / this.#devices.length, () => {
        const device = this.#devices[turn++ % this.#devices.length];
        if (device !== undefined) this.#transmit(device.about, device.radio);
      }),
    ];
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    await this.#forwarder.stop();
    await this.#line.stop();
  }

  #sendNoise(): void {
    const { LAeq, LAFmax, LCpeak } = this.#city.noise(this.#options.clock.nowMs());
    this.#line.send(`LAeq=${LAeq.toFixed(1)},LAFmax=${LAFmax.toFixed(1)},LCpeak=${LCpeak.toFixed(1)}\r\n`);
  }

  #transmit(about: DemoDevice, radio: SimulatedDevice): void {
    this.#options.counters.used(about.name, radio.fCnt);
    const frame =
      about.kind === 'count'
        ? radio.uplink(COUNT_PORT, this.#countPayload())
        : radio.uplink(HEAT_PORT, this.#heatPayload(about));
    this.#forwarder.push([frame]);
  }

  /** Big-endian: pedestrians, bicycles (16 bits each), battery in 0.1 V. `flows/demo/codecs/compteur-demo.js` reads it. */
  #countPayload(): Buffer {
    const { pedestrians, bicycles } = this.#city.passes(this.#options.clock.nowMs(), this.#options.loraIntervalMs);
    const payload = Buffer.alloc(5);
    payload.writeUInt16BE(pedestrians, 0);
    payload.writeUInt16BE(bicycles, 2);
    payload[4] = 36;
    return payload;
  }

  /** Big-endian: temperature in 0.1 °C (signed), humidity in 0.5 %, battery in 0.1 V. `flows/demo/codecs/station-demo.js` reads it. */
  #heatPayload(about: DemoDevice): Buffer {
    const { temperature, humidity } = this.#city.weather(this.#options.clock.nowMs(), about.heatIslandK);
    const payload = Buffer.alloc(4);
    payload.writeInt16BE(Math.round(temperature * 10), 0);
    payload[2] = Math.round(humidity * 2);
    payload[3] = 36;
    return payload;
  }
}
