import { type ChildProcess, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BatchReceiver, receiveBatches } from '../../src/forward/receive.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createLog } from '../../src/runtime/log.ts';
import { seededRandom } from '../../src/sources/simulate/random.ts';
import { ChaosProxy } from './chaos-proxy.ts';
import { freeUdpPort, pause, startMosquitto, waitFor } from './command.ts';
import { GatewayProcess } from './gateway-process.ts';
import { NumberedGenerator } from './generator.ts';
import { KILL_CODEC, KILL_REGISTRY, killFlow } from './kill-flow.ts';
import { Oracle, type Received } from './oracle.ts';

const DRAIN_DEADLINE_MS = 130_000;
const LATENESS_MS = 8000;

export interface RigOptions {
  readonly main: string;
  readonly seed: number;
  readonly cutChance: number;
  /** Where the gateway keeps its data; default: in the rig's own folder. */
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Settings of the gateway node that differ from the trial's. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** How long everything may take to arrive in the end. */
  readonly drainMs?: number;
  /** The trial kills the broker too: the receiver's connection may go. */
  readonly losesBroker?: boolean;
}

/** Everything around the gateway under test: generator, broker behind a proxy that loses, receiver, oracle. */
export class FaultRig {
  readonly #options: RigOptions;
  readonly folder = mkdtempSync(join(tmpdir(), 'cigale-fault-'));
  readonly dataDir: string;
  readonly random: () => number;
  readonly oracle = new Oracle();
  readonly problems: string[] = [];
  readonly gateway: GatewayProcess;
  readonly flowFile: string;
  readonly #startedMs = performance.now();
  brokerPort = 0;
  #broker: ChildProcess | undefined;
  #receiver: BatchReceiver | undefined;
  #proxy: ChaosProxy | undefined;
  #generator: NumberedGenerator | undefined;

  constructor(options: RigOptions) {
    this.#options = options;
    this.dataDir = options.dataDir ?? join(this.folder, 'data');
    this.random = seededRandom(options.seed);
    const { main, env } = options;
    const flowFile = join(this.folder, 'flow.json');
    this.flowFile = flowFile;
    const logFile = join(this.folder, 'gateway.log');
    this.gateway = new GatewayProcess({ main, dataDir: this.dataDir, flowFile, logFile, ...(env && { env }) });
  }

  get proxy(): ChaosProxy {
    if (this.#proxy === undefined) throw new Error('the rig has not started');
    return this.#proxy;
  }

  get generator(): NumberedGenerator {
    if (this.#generator === undefined) throw new Error('the rig has not started');
    return this.#generator;
  }

  /** Resolves with all running but the gateway, whose registry and codec are imported. */
  async start(): Promise<void> {
    const { random, folder } = this;
    const broker = await startMosquitto(folder);
    this.#broker = broker.process;
    this.brokerPort = broker.port;
    const target = { targetHost: '127.0.0.1', targetPort: broker.port, random };
    const { cutChance, main, settings } = this.#options;
    this.#proxy = new ChaosProxy({ ...target, maxDelayMs: 60, stallChance: 0.15, maxStallMs: 1200, cutChance });
    await this.#proxy.start();
    const udp = await freeUdpPort();
    this.#generator = new NumberedGenerator(udp, random);
    await this.#receive(broker.port);
    await this.#generator.start();
    const ports = { line: this.#generator.linePort, udp, mqtt: this.#proxy.port };
    writeFileSync(this.flowFile, JSON.stringify(killFlow(ports, settings)));
    writeFileSync(join(folder, 'registry.csv'), KILL_REGISTRY);
    writeFileSync(join(folder, 'codec.js'), KILL_CODEC);
    const cigale = (...args: string[]): void =>
      void execFileSync(process.execPath, [main, ...args, '--data', this.dataDir], { stdio: 'pipe' });
    cigale('devices', 'import', join(folder, 'registry.csv'));
    cigale('codec', 'add', 'kill-codec', join(folder, 'codec.js'));
  }

  /**
   * With the gateway running and no fault any more: lets the last windows close and everything arrive, then judges. Ends the
   * rig; keeps its folder when something is wrong.
   */
  async settle(facts: Readonly<Record<string, unknown>>): Promise<{ isGood: boolean; facts: Record<string, unknown> }> {
    const { generator, gateway, oracle, proxy, problems } = this;
    generator.pause();
    generator.repeatFrames();
    const frameOnTheAir = generator.frameNumber;
    const lastWindowEndMs = Math.ceil(Date.now() / 60_000) * 60_000 + LATENESS_MS;
    await pause(Math.max(lastWindowEndMs - Date.now(), 5000));
    const isDrained = (): boolean => oracle.has(gateway.acceptedThrough) && generator.frameNumber > frameOnTheAir;
    await waitFor(isDrained, this.#options.drainMs ?? DRAIN_DEADLINE_MS);
    generator.pause();
    await pause(3000);
    const stuckFrame = generator.frameNumber <= frameOnTheAir;
    await gateway.end('SIGTERM');
    await pause(500);
    problems.push(...this.#setAside());
    const verdict = oracle.judge(gateway.acceptedThrough, Date.now() - LATENESS_MS - 60_000);
    const repeatedBatches = this.#receiver?.counters().repeats;
    await this.stop();
    const { lost, duplicated, doubled, aggregatesWrong, aggregatesChecked, gapsWrong } = verdict;
    const faults = lost + duplicated + doubled + aggregatesWrong + gapsWrong + problems.length;
    const isGood = faults === 0 && aggregatesChecked > 0 && !stuckFrame;
    if (isGood) rmSync(this.folder, { recursive: true, force: true });
    else console.log(`kept for analysis: ${this.folder}`);
    const seen = {
      seed: this.#options.seed,
      seconds: Math.round((performance.now() - this.#startedMs) / 1000),
      linesSent: generator.linesSent,
      frames: generator.frameNumber,
      accepted: gateway.acceptedThrough,
      received: oracle.size,
      repeatedBatches,
      cuts: proxy.cuts,
      stuckFrame,
    };
    const failures = isGood ? 0 : Math.max(1, faults);
    return { isGood, facts: { ...facts, ...seen, ...verdict, problems: problems.slice(0, 10), failures } };
  }

  /** No fault of these trials damages a file: a store that was set aside was set aside for nothing. */
  #setAside(): readonly string[] {
    const names = readdirSync(this.dataDir).filter((name) => name.startsWith('damaged'));
    return names.map((name) => `the store was set aside: ${name}`);
  }

  /** The broker dies without a word and is there again after `awayMs`, on the same port and with nothing in its memory. */
  async killBroker(awayMs: number): Promise<void> {
    this.#broker?.kill('SIGKILL');
    await pause(awayMs);
    this.#broker = (await startMosquitto(this.folder, this.brokerPort)).process;
  }

  async stop(): Promise<void> {
    await this.gateway.end('SIGKILL');
    await this.#receiver?.stop();
    await this.#generator?.stop();
    await this.#proxy?.stop();
    this.#broker?.kill();
  }

  async #receive(port: number): Promise<void> {
    this.#receiver = await receiveBatches(
      {
        brokerUrl: `mqtt://127.0.0.1:${port}`,
        prefix: 'kill/v1',
        clientId: 'oracle',
        onRecord: (record) => {
          const received = { ...record, id: Number(record['id']) } as unknown as Received;
          this.oracle.receive(received);
          if (received.place === 'place-lora' && received.quantity === 'number' && received.kind === 'sample')
            this.#generator?.arrived(received.value as number);
        },
        onProblem: ({ kind, detail }) => {
          const isExpected = kind === 'gap' || (kind === 'connection' && this.#options.losesBroker === true);
          if (!isExpected) this.problems.push(`${kind}: ${detail}`);
        },
      },
      { clock: systemClock, log: createLog('error') },
    );
  }
}
