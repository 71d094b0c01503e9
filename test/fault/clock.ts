/**
 * F14: the clock: `node test/fault/clock.ts --trials 8 --seed 7`. The built gateway on a machine whose wall clock, boot and time
 * service are driven by a file: 1970 and then set (time service, by hand, phone), +56 years, -1 hour, -5 years, both DST days, with
 * kills in between. Every trial in turn takes one of them. Exit 1 when a record is lost, has another time than it was sent at, a
 * window is missing, doubled or wrongly computed, or the gateway paused for more than 250 ms. `--main FILE` runs another build.
 */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type BatchReceiver, receiveBatches } from '../../src/forward/receive.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createLog } from '../../src/runtime/log.ts';
import { socketPath } from '../../src/runtime/socket-path.ts';
import { LineServer } from '../../src/sources/simulate/line-server.ts';
import { seededRandom } from '../../src/sources/simulate/random.ts';
import { type Phase, type Scene, sceneOf } from './clock-scenes.ts';
import { ClockTruth } from './clock-truth.ts';
import { BUILT_MAIN, freeUdpPort, pause, report, startMosquitto } from './command.ts';
import { GatewayProcess } from './gateway-process.ts';
import { killFlow } from './kill-flow.ts';
import { Oracle, type Received, type Verdict } from './oracle.ts';

const { values: options } = parseArgs({
  options: {
    trials: { type: 'string', default: '8' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    main: { type: 'string', default: BUILT_MAIN },
    quiet: { type: 'boolean', default: false },
  },
});

const LINE_PERIOD_MS = 50;
const STALL_MS = 250;
/** Two clocks are read one after the other. */
const READING_MS = 20;
const DRAIN_DEADLINE_MS = 15_000;
/** Lines that were on their way when a process was killed or started are nobody's promise. */
const NEAR_KILL_MS = 2500;

/** One gateway on one driven machine, from its start to the last window. */
class ClockTrial {
  readonly folder = mkdtempSync(join(tmpdir(), 'cigale-clock-'));
  readonly #scene: Scene;
  readonly #driveFile = join(this.folder, 'clock.json');
  readonly #dataDir = join(this.folder, 'data');
  readonly #line = new LineServer('127.0.0.1', 0);
  readonly #received: Received[] = [];
  readonly #truth = new ClockTruth();
  readonly #observed = new Map<number, number>();
  readonly #problems: string[] = [];
  readonly #killsMs: number[] = [];
  readonly #gateway: GatewayProcess;
  readonly #trueOffsetMs: number;
  #wallOffsetMs: number;
  #boot = 1;
  #number = 0;
  /** A phone's time is as old as its request when it is taken. */
  #earlyMs = READING_MS;
  /** Greatest time from sending a line to its observation. */
  maxLagMs = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#trueOffsetMs = scene.startAt - Date.now();
    this.#wallOffsetMs = this.#trueOffsetMs;
    const [dataDir, flowFile, logFile] = [this.#dataDir, join(this.folder, 'flow.json'), join(this.folder, 'log')];
    const env = { CIGALE_DRIVEN_CLOCK: this.#driveFile };
    this.#gateway = new GatewayProcess({ main: options.main, dataDir, flowFile, logFile, env });
  }

  async run(): Promise<readonly string[]> {
    const broker = await startMosquitto(this.folder);
    const receiver = await this.#receive(broker.port);
    await this.#line.start();
    const ports = { line: this.#line.port, udp: await freeUdpPort(), mqtt: broker.port };
    writeFileSync(join(this.folder, 'flow.json'), JSON.stringify(killFlow(ports)));
    const lines = setInterval(() => this.#sendLine(), LINE_PERIOD_MS);
    try {
      for (const [index, phase] of this.#scene.phases.entries()) await this.#play(phase, index === 0);
      clearInterval(lines);
      await this.#drain();
    } finally {
      clearInterval(lines);
      await this.#gateway.end('SIGKILL');
      await receiver.stop();
      await this.#line.stop();
      broker.process.kill();
    }
    return this.#judge();
  }

  async #play(phase: Phase, isFirst: boolean): Promise<void> {
    if (phase.reboot === true) await this.#gateway.end('SIGKILL');
    if (phase.reboot === true) this.#boot += 1;
    this.#moveClock(phase);
    this.#drive(phase.synchronized);
    const utcMinusMonotonicMs = Date.now() - performance.now();
    const truth = phase.line === 'follows' ? this.#wallOffsetMs : this.#trueOffsetMs;
    this.#truth.begin(phase.line === 'waits' ? null : truth + utcMinusMonotonicMs);
    if (isFirst || phase.reboot === true) this.#startGateway();
    if (phase.phone === true) await this.#setByPhone();
    const startMs = performance.now();
    if (phase.killMs !== undefined) {
      await pause(phase.killMs);
      await this.#kill();
    }
    await pause(phase.durationMs - (performance.now() - startMs));
  }

  #moveClock({ clock }: Phase): void {
    if (clock === undefined) return;
    if (clock === 'truth') this.#wallOffsetMs = this.#trueOffsetMs;
    else if ('at' in clock) this.#wallOffsetMs = clock.at - Date.now();
    else this.#wallOffsetMs += clock.byMs;
  }

  /** Whole, or not at all: the gateway reads it at any moment. */
  #drive(synchronized: boolean | null): void {
    const drive = { offsetMs: this.#wallOffsetMs, bootId: `boot-${this.#boot}`, synchronized };
    writeFileSync(`${this.#driveFile}.new`, JSON.stringify(drive));
    renameSync(`${this.#driveFile}.new`, this.#driveFile);
  }

  async #kill(): Promise<void> {
    if (!this.#gateway.isRunning) this.#problems.push('the gateway had ended by itself');
    await this.#gateway.end('SIGKILL');
    this.#startGateway();
  }

  #startGateway(): void {
    this.#killsMs.push(performance.now());
    this.#gateway.start();
  }

  /** Every line of time has its truth: the last windows end, and everything arrives. */
  async #drain(): Promise<void> {
    await pause(1000);
    this.#wallOffsetMs = this.#wallOffsetMs > this.#trueOffsetMs ? this.#wallOffsetMs : this.#trueOffsetMs;
    this.#wallOffsetMs += 180_000;
    this.#drive(true);
    const isDone = (): boolean => {
      const { lost, aggregatesWrong, aggregatesChecked } = this.#verdict();
      return lost + aggregatesWrong === 0 && aggregatesChecked > 0;
    };
    // A revision may still be on its way: it is over when nothing changes any more.
    const deadlineMs = performance.now() + DRAIN_DEADLINE_MS;
    for (let rounds = 0; rounds < 4 && performance.now() < deadlineMs; rounds = isDone() ? rounds + 1 : 0)
      await pause(250);
  }

  #verdict(): Verdict {
    const oracle = new Oracle();
    for (const record of this.#received) oracle.receive(record);
    return oracle.judge(this.#gateway.acceptedThrough, Number.POSITIVE_INFINITY);
  }

  #sendLine(): void {
    const number = this.#number;
    if (this.#line.send(`${number},${(45 + (number % 300) / 10).toFixed(1)}\r\n`) === 0) return;
    this.#truth.sent(number);
    this.#number += 1;
  }

  async #setByPhone(): Promise<void> {
    const path = socketPath(this.#dataDir, 'cigale.sock');
    const ask = (): Promise<number> =>
      new Promise((resolve) => {
        const headers = { 'content-type': 'application/json' };
        const post = request({ socketPath: path, method: 'POST', path: '/v1/clock', headers }, (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        });
        post.on('error', () => resolve(0));
        post.end(JSON.stringify({ now: new Date(Date.now() + this.#trueOffsetMs).toISOString() }));
      });
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const askedMs = performance.now();
      const status = await ask();
      this.#earlyMs = READING_MS + performance.now() - askedMs;
      if (status === 200) return;
      await pause(50);
    }
    this.#problems.push('the phone could not set the clock');
  }

  #receive(port: number): Promise<BatchReceiver> {
    return receiveBatches(
      {
        brokerUrl: `mqtt://127.0.0.1:${port}`,
        prefix: 'kill/v1',
        clientId: 'oracle',
        onRecord: (record) => {
          const received = { ...record, id: Number(record['id']) } as unknown as Received;
          this.#received.push(received);
          if (received.kind === 'sample' && received.quantity === 'number')
            this.#observed.set(Number(received.value), Date.parse(received.observedAt ?? ''));
        },
        onProblem: ({ kind, detail }) => {
          if (kind !== 'gap') this.#problems.push(`${kind}: ${detail}`);
        },
      },
      { clock: systemClock, log: createLog('error') },
    );
  }

  #judge(): readonly string[] {
    const verdict = this.#verdict();
    const faults = [...this.#problems, ...verdict.details];
    if (verdict.aggregatesChecked === 0) faults.push('no window was written');
    if (this.#observed.size < 20) faults.push(`only ${this.#observed.size} lines arrived`);
    for (const [number, observedAt] of this.#observed) {
      const lagMs = this.#truth.lagMs(number, observedAt);
      if (lagMs > this.maxLagMs && lagMs <= STALL_MS) this.maxLagMs = lagMs;
      if (!(lagMs >= -this.#earlyMs && lagMs <= STALL_MS))
        faults.push(`line ${number} was observed ${lagMs} ms after it was sent`);
    }
    for (const [number, sentMs] of this.#truth.numbers) {
      const isNearKill = this.#killsMs.some((killMs) => Math.abs(sentMs - killMs) < NEAR_KILL_MS);
      if (!this.#observed.has(number) && !isNearKill) faults.push(`line ${number} never arrived`);
    }
    return faults;
  }
}

const random = seededRandom(Number(options.seed));
const startedMs = performance.now();
const faults: string[] = [];
let failures = 0;
let maxLagMs = 0;
for (let trial = 0; trial < Number(options.trials); trial += 1) {
  const scene = sceneOf(trial, random);
  const own = new ClockTrial(scene);
  const found = await own.run();
  maxLagMs = Math.max(maxLagMs, own.maxLagMs);
  if (found.length === 0) rmSync(own.folder, { recursive: true, force: true });
  else {
    failures += 1;
    faults.push(...found.slice(0, 5).map((text) => `${scene.name}: ${text}`), `kept for analysis: ${own.folder}`);
  }
  if (!options.quiet)
    console.log(`${trial + 1} ${scene.name}: ${found.length === 0 ? 'good' : found.slice(0, 3).join('; ')}`);
}
const seconds = Math.round((performance.now() - startedMs) / 1000);
report('F14 clock', {
  trials: Number(options.trials),
  seed: Number(options.seed),
  failures,
  seconds,
  longestPauseMs: Math.round(maxLagMs),
  faults: faults.slice(0, 20),
});
process.exitCode = failures === 0 ? 0 : 1;
