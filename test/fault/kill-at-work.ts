/**
 * F6: the process ends at an fsync or in a write while it makes its store, migrates it, deletes what is old, or takes over a flow:
 * `node test/fault/kill-at-work.ts --trials 100 --seed 7`. Afterwards the store is old or new, never between, and nothing of it is
 * lost; of a flow the old or the new version runs, the new one if the deploy was answered. Then as F1.
 */
import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { socketPath } from '../../src/runtime/socket-path.ts';
import { ask } from '../e2e/running-gateway.ts';
import { BUILT_MAIN, pause, report, waitFor } from './command.ts';
import { readDiskLog } from './disk-log.ts';
import { FaultyDisk, KILL_POINTS, type KillPoint } from './faulty-disk.ts';
import { FaultRig } from './rig.ts';
import { type WorkState, logDigest, migrationFaults, stateOf } from './work-state.ts';

const { values: options } = parseArgs({
  options: {
    trials: { type: 'string', default: '40' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    main: { type: 'string', default: BUILT_MAIN },
  },
});
const RECOVERY_MS = 40_000;
/** Calls of the store while a deploy is under way, and some. */
const MAX_DEPLOY_SYNCS = 12;
const MAX_DEPLOY_WRITES = 100;
const MAX_CALL = 255;
const POINTS = Object.keys(KILL_POINTS) as KillPoint[];
const WORK = ['create', 'migrate', 'retain'] as const;
type Work = (typeof WORK)[number];

const trials = Number(options.trials);
const folder = mkdtempSync(join(tmpdir(), 'cigale-work-'));
const dataDir = join(folder, 'data');
const workDir = join(folder, 'work');
const base = join(folder, 'base');
const workFolder = join(folder, 'work-disk');
mkdirSync(workFolder);
const disk = FaultyDisk.create(folder, dataDir);
/** Of its own: what ends the work must not end the gateway beside it. */
const workDisk = FaultyDisk.create(workFolder, workDir);

/** What a kind of work calls when it is not ended. */
interface Calls {
  readonly syncs: number;
  readonly writes: number;
}

class WorkTrials {
  readonly #disk: FaultyDisk;
  readonly #log: string;
  readonly #before: WorkState;
  readonly #calls = new Map<Work, Calls>();
  readonly ended = { create: 0, migrate: 0, retain: 0 };

  private constructor(on: FaultyDisk, log: string, before: WorkState) {
    this.#disk = on;
    this.#log = log;
    this.#before = before;
  }

  /** Learns how often each kind of work calls the disk. */
  static async create(on: FaultyDisk): Promise<WorkTrials> {
    const log = logDigest(base, workDir);
    cpSync(base, workDir, { recursive: true });
    const trialsOf = new WorkTrials(on, log, await stateOf(workDir));
    for (const work of WORK) {
      const logFile = join(folder, `${work}.log`);
      trialsOf.#prepare(work);
      await trialsOf.#work(work, { FAULT_LOG: logFile });
      const events = readDiskLog(readFileSync(logFile));
      const count = (kind: string): number => Math.min(MAX_CALL, events.filter((event) => event.kind === kind).length);
      trialsOf.#calls.set(work, { syncs: count('sync'), writes: count('write') });
    }
    return trialsOf;
  }

  async trial(work: Work, point: KillPoint, random: () => number): Promise<readonly string[]> {
    const { syncs = 1, writes = 1 } = this.#calls.get(work) ?? {};
    this.#prepare(work);
    this.#disk.killAt(point, 1 + Math.floor(random() * (point === 'in a write' ? writes : syncs)));
    if ((await this.#work(work, {})) === null) this.ended[work] += 1;
    this.#disk.spare();
    try {
      return await this.#faults(work);
    } catch (error) {
      return [String(error)];
    }
  }

  async #faults(work: Work): Promise<readonly string[]> {
    if (work === 'migrate') return migrationFaults(workDir, this.#log);
    const after = await stateOf(workDir);
    if (work === 'create') return [];
    const { epoch, entries, streams } = this.#before;
    return [
      ...(after.epoch === epoch ? [] : ['another epoch']),
      ...(after.entries === entries ? [] : ['the log is another']),
      ...(after.streams === streams ? [] : ['the streams are others']),
    ];
  }

  #prepare(work: Work): void {
    rmSync(workDir, { recursive: true, force: true });
    if (work === 'create') mkdirSync(workDir, { mode: 0o700 });
    else cpSync(base, workDir, { recursive: true });
  }

  /** Exit code of the child; null when it was ended. */
  async #work(work: Work, env: Readonly<Record<string, string>>): Promise<number | null> {
    const stdio: SpawnOptions['stdio'] = ['ignore', 'ignore', 'inherit'];
    const child = spawn(process.execPath, [join(import.meta.dirname, 'work-child.ts'), work, workDir], {
      stdio,
      env: { ...process.env, ...this.#disk.env, ...env },
    });
    await once(child, 'close');
    return child.exitCode;
  }
}

type Flow = Record<string, unknown>[];

/** Deploys to the running gateway that are cut off, each with another `maxAge`. */
class DeployTrials {
  readonly #rig: FaultRig;
  readonly #disk: FaultyDisk;
  readonly #flow: Flow;
  #ageMs = 100;
  answered = 0;

  constructor(rig: FaultRig, on: FaultyDisk) {
    this.#rig = rig;
    this.#disk = on;
    this.#flow = JSON.parse(readFileSync(rig.flowFile, 'utf8')) as Flow;
  }

  async trial(point: KillPoint, random: () => number): Promise<readonly string[]> {
    const { gateway } = this.#rig;
    if (!(await this.#works())) return ['nothing was accepted before the deploy'];
    const [oldMs, newMs] = [this.#ageMs, this.#ageMs === 199 ? 100 : this.#ageMs + 1];
    const calls = point === 'in a write' ? MAX_DEPLOY_WRITES : MAX_DEPLOY_SYNCS;
    this.#disk.killAt(point, 1 + Math.floor(random() * calls));
    const answer = await this.#ask('PUT', this.#with(newMs)).catch(() => undefined);
    await gateway.hasEnded(RECOVERY_MS);
    this.#disk.spare();
    await gateway.end('SIGKILL');
    gateway.start();
    if (!(await this.#works())) return ['nothing was accepted after the deploy'];
    const current = await this.#ask('GET');
    this.#ageMs = ageOf(current.json['flow'] as Flow);
    if (answer?.status === 200) this.answered += 1;
    const allowed = answer?.status === 200 ? [newMs] : [oldMs, newMs];
    return allowed.includes(this.#ageMs) ? [] : [`maxAge is ${this.#ageMs} ms, not ${allowed.join(' or ')}`];
  }

  #works(): Promise<boolean> {
    const before = this.#rig.gateway.acceptedThrough;
    return waitFor(() => this.#rig.gateway.acceptedThrough > before, RECOVERY_MS);
  }

  #with(ageMs: number): Flow {
    return this.#flow.map((node) => (node['type'] === 'cigale-send' ? { ...node, maxAge: `${ageMs}ms` } : node));
  }

  /** The API is there a little after the first sample. */
  async #ask(method: string, flow?: Flow): ReturnType<typeof ask> {
    const payload = flow === undefined ? undefined : Buffer.from(JSON.stringify({ flow, author: 'F6' }));
    const headers =
      payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(payload.length) };
    const where = { socketPath: socketPath(dataDir, 'cigale.sock'), method, path: '/v1/flow', headers };
    for (let attempt = 0; attempt < 50; attempt += 1) {
      try {
        return await ask(where, payload);
      } catch (error) {
        if (!['ENOENT', 'ECONNREFUSED'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
        await pause(100);
      }
    }
    return ask(where, payload);
  }
}

const ageOf = (flow: Flow): number =>
  Number.parseInt(String(flow.find((node) => node['type'] === 'cigale-send')?.['maxAge']), 10);

async function run(on: FaultyDisk, workOn: FaultyDisk): Promise<boolean> {
  const rig = new FaultRig({ main: options.main, seed: Number(options.seed), cutChance: 0, dataDir, env: on.env });
  const { gateway, problems, random } = rig;
  await rig.start();
  gateway.start();
  await waitFor(() => gateway.acceptedThrough > 200, RECOVERY_MS);
  rig.proxy.sever();
  await pause(3000);
  await gateway.end('SIGKILL');
  cpSync(dataDir, base, { recursive: true });
  rig.proxy.mend();
  gateway.start();
  const work = await WorkTrials.create(workOn);
  const deploys = new DeployTrials(rig, on);
  const kinds = ['deploy', ...WORK] as const;
  for (let trial = 1; trial <= trials; trial += 1) {
    const kind = kinds[trial % kinds.length] ?? 'deploy';
    const point = POINTS[Math.floor(random() * POINTS.length)] ?? 'in a write';
    const faults = await (kind === 'deploy' ? deploys.trial(point, random) : work.trial(kind, point, random));
    for (const fault of faults) problems.push(`trial ${trial}, ${kind} ended ${point}: ${fault}`);
    if (trial % 20 === 0) console.log(`${trial} ends, ${problems.length} problems`);
  }
  const { isGood, facts } = await rig.settle({ trials, ended: work.ended, deploysAnswered: deploys.answered });
  report('F6 kill during migration, retention, deploy', facts);
  return isGood;
}

if (disk === null || workDisk === null) {
  console.log('F6 kill at work: skipped, there is no gcc to compile the faulty disk');
} else {
  const isGood = await run(disk, workDisk);
  if (isGood) rmSync(folder, { recursive: true, force: true });
  process.exitCode = isGood ? 0 : 1;
}
