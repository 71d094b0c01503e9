/**
 * F3: what a power cut at any moment can leave of the files. The writes and fsyncs of the store are recorded while it works;
 * then states of the disk are rebuilt in which none, all, some or torn parts of what no fsync had followed got there, and each
 * must hold all that had been called accepted: `node test/fault/crash-states.ts --states 1000 --seed 7`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/sources/simulate/random.ts';
import { DRIVER_NAMES } from '../../src/store/driver.ts';
import { BUILT_MAIN, compile, pause, report } from './command.ts';
import { type DiskEvent, ReplayedDisk, STORE_FILES, SURVIVALS, readDiskLog } from './disk-log.ts';
import { FaultRig } from './rig.ts';
import { StateCheck } from './state-check.ts';

const { values: options } = parseArgs({
  options: {
    states: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    main: { type: 'string', default: BUILT_MAIN },
    /** Only the built gateway, not the store alone. */
    gateway: { type: 'boolean', default: false },
  },
});

interface Recording {
  readonly name: string;
  readonly before: readonly (Buffer | undefined)[];
  readonly events: readonly DiskEvent[];
}

const folder = mkdtempSync(join(tmpdir(), 'cigale-states-'));
const library = compile('faulty-disk.c', join(folder, 'faulty-disk.so'), '-shared', '-fPIC');
const random = seededRandom(Number(options.seed));

const environment = (dataDir: string, logFile: string, markFd: number): Record<string, string> => ({
  LD_PRELOAD: library ?? '',
  FAULT_DIR: `${dataDir}/`,
  FAULT_LOG: logFile,
  FAULT_MARK_FD: String(markFd),
});

const filesOf = (dataDir: string): (Buffer | undefined)[] =>
  STORE_FILES.map((name) => join(dataDir, name)).map((path) => (existsSync(path) ? readFileSync(path) : undefined));

/** The store alone as fast as it can, so that checkpoints come. */
async function recordStore(driver: string): Promise<Recording> {
  const dataDir = join(folder, driver);
  const logFile = `${dataDir}.log`;
  mkdirSync(dataDir);
  const child = spawn(process.execPath, [join(import.meta.dirname, '../store/kill-child.ts'), dataDir, driver, '0'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...environment(dataDir, logFile, 1) },
  });
  await pause(2500 + random() * 1000);
  child.kill('SIGKILL');
  await once(child, 'close');
  return { name: `store on ${driver}`, before: [], events: readDiskLog(readFileSync(logFile)) };
}

/** The built gateway under load, ended once in order in between. */
async function recordGateway(): Promise<Recording> {
  const dataDir = join(folder, 'gateway');
  const logFile = `${dataDir}.log`;
  const env = environment(dataDir, logFile, 3);
  const rig = new FaultRig({ main: options.main, seed: Number(options.seed), cutChance: 0.02, dataDir, env });
  await rig.start();
  const before = filesOf(dataDir);
  rig.gateway.start();
  await pause(9000);
  await rig.gateway.end('SIGTERM');
  rig.gateway.start();
  await pause(6000);
  await rig.stop();
  rmSync(rig.folder, { recursive: true, force: true });
  return { name: 'gateway', before, events: readDiskLog(readFileSync(logFile)) };
}

async function checkStates({ name, before, events }: Recording, states: number): Promise<boolean> {
  const firstMark = events.findIndex((event) => event.kind === 'mark' && /\d/.test(event.text));
  const points = Array.from({ length: states }, () => firstMark + Math.floor(random() * (events.length - firstMark)));
  points.sort((a, b) => a - b);
  const disk = new ReplayedDisk(before);
  const check = new StateCheck(join(folder, 'state'));
  const survivals = { none: 0, all: 0, some: 0, torn: 0 };
  let state = 0;
  for (const [index, event] of events.entries()) {
    if (event.kind === 'mark') check.mark(event.text);
    else disk.play(event);
    for (; points[state] === index; state += 1) {
      const survival = SURVIVALS[state % SURVIVALS.length] ?? 'all';
      survivals[survival] += 1;
      await check.check(disk.after(survival, random), `state ${state} (${survival}) after event ${index}`);
    }
  }
  const syncs = events.filter(({ kind }) => kind === 'sync').length;
  const { failures, reopened } = check;
  report(`F3 crash states, ${name}`, {
    seed: options.seed,
    trials: states,
    ...survivals,
    events: events.length,
    syncs,
    marks: check.marks,
    openedByTheStore: reopened,
    failures: failures.length,
    details: failures.slice(0, 10),
  });
  return failures.length === 0 && check.marks > 0;
}

if (library === null) {
  console.log('F3 crash states: skipped, there is no gcc to compile the recorder of the disk');
} else {
  const recordings = options.gateway
    ? [await recordGateway()]
    : [await recordGateway(), ...(await Promise.all(DRIVER_NAMES.map(recordStore)))];
  const share = Math.ceil(Number(options.states) / recordings.length);
  let isGood = true;
  for (const recording of recordings) isGood = (await checkStates(recording, share)) && isGood;
  if (isGood) rmSync(folder, { recursive: true, force: true });
  else writeFileSync(join(folder, 'seed'), `${options.seed}\n`);
  process.exitCode = isGood ? 0 : 1;
}
