/**
 * F12 and F13: a second gateway on the same directory, no file descriptors left (while it runs and while it starts), no memory left
 * (heap; with root also the kernel's), a process that stands still: `node test/fault/limits.ts --trials 40 --seed 7`. Nothing
 * accepted may be lost, the store must not be set aside, and the gateway works again once there is room. Then as F1.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BUILT_MAIN, pause, report, waitFor } from './command.ts';
import { FaultRig } from './rig.ts';

const { values: options } = parseArgs({
  options: {
    trials: { type: 'string', default: '40' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    main: { type: 'string', default: BUILT_MAIN },
  },
});
const RECOVERY_MS = 60_000;
/** "another gateway has the store", by `docs/commands.md`. */
const EXIT_CANNOT_CREATE = 73;
const MEMORY_GROUP = `/sys/fs/cgroup/memory/cigale-limits-${process.pid}`;
const trials = Number(options.trials);
const rig = new FaultRig({ main: options.main, seed: Number(options.seed), cutChance: 0.02 });
const { gateway, problems, random } = rig;

async function secondGateway(trial: number): Promise<void> {
  const before = gateway.acceptedThrough;
  const args = [options.main, 'run', '--data', rig.dataDir, '--flow', rig.flowFile];
  const env = { ...process.env, CIGALE_LOG: 'silent' };
  const second = spawnSync(process.execPath, args, { encoding: 'utf8', env, timeout: 20_000 });
  if (second.status !== EXIT_CANNOT_CREATE)
    problems.push(`trial ${trial}: the second gateway ended with ${second.status}`);
  if (!second.stderr.includes('STORE_LOCKED'))
    problems.push(`trial ${trial}: the second gateway said ${second.stderr}`);
  if (!(await waitFor(() => gateway.acceptedThrough > before, RECOVERY_MS)))
    problems.push(`trial ${trial}: the first gateway did not go on`);
}

const limitFiles = (pid: number, limit: string): void =>
  void execFileSync('prlimit', ['--pid', String(pid), `--nofile=${limit}`]);

/** As many descriptors as it has now and no more, while its connections break and have to be made anew. */
async function noDescriptors(): Promise<void> {
  const open = readdirSync(`/proc/${gateway.pid}/fd`).length;
  limitFiles(gateway.pid, `${open - 4}:`);
  rig.proxy.sever();
  await pause(300 + random() * 2500);
  rig.proxy.mend();
  if (random() < 0.5) await gateway.end('SIGKILL');
  else if (gateway.isRunning) limitFiles(gateway.pid, '1024:');
}

/** Too few to start with: whatever the gateway does then, the store stays as it is. */
async function startsWithoutDescriptors(): Promise<void> {
  await gateway.end('SIGKILL');
  gateway.start('prlimit', `--nofile=${18 + Math.floor(random() * 16)}:1024`);
  await gateway.hasEnded(3000);
  await gateway.end('SIGKILL');
}

/** The heap is too small for the gateway: V8 ends it, at the start or later. */
async function noHeap(): Promise<void> {
  await gateway.end('SIGKILL');
  gateway.start('env', `NODE_OPTIONS=--max-old-space-size=${10 + Math.floor(random() * 8)}`);
  await gateway.hasEnded(4000);
  await gateway.end('SIGKILL');
}

/** The kernel ends the process for its memory. */
async function noMemory(trial: number): Promise<void> {
  mkdirSync(MEMORY_GROUP);
  writeFileSync(join(MEMORY_GROUP, 'memory.limit_in_bytes'), String(24 << 20));
  await gateway.end('SIGKILL');
  gateway.start('sh', '-c', `echo $$ > ${MEMORY_GROUP}/cgroup.procs; exec "$@"`, 'sh');
  if (!(await gateway.hasEnded(20_000))) problems.push(`trial ${trial}: the gateway lived without memory`);
  await gateway.end('SIGKILL');
  await waitFor(() => removed(MEMORY_GROUP), 5000);
}

function removed(group: string): boolean {
  try {
    rmdirSync(group);
  } catch {
    // A process that was just killed leaves its group a little later.
  }
  return !existsSync(group);
}

/** The process stands still, as one whose event loop is held up or whose machine swaps. */
async function standsStill(): Promise<void> {
  process.kill(gateway.pid, 'SIGSTOP');
  await pause(500 + random() * 4000);
  if (random() < 0.5) await gateway.end('SIGKILL');
  else process.kill(gateway.pid, 'SIGCONT');
}

const LIMITS: Readonly<Record<string, (trial: number) => Promise<void>>> = {
  'F12 second gateway': secondGateway,
  'F13 no descriptors': noDescriptors,
  'F13 starts without descriptors': startsWithoutDescriptors,
  'F13 no heap': noHeap,
  'F13 stands still': standsStill,
  ...(process.getuid?.() === 0 && existsSync('/sys/fs/cgroup/memory') ? { 'F13 no memory (cgroup)': noMemory } : {}),
};
const NAMES = Object.keys(LIMITS);
const counts = new Map<string, number>();
let slowestRecoveryMs = 0;

await rig.start();
gateway.start();
for (let trial = 1; trial <= trials; trial += 1) {
  const name = NAMES[trial % NAMES.length] ?? '';
  const before = gateway.acceptedThrough;
  if (!(await waitFor(() => gateway.acceptedThrough > before, RECOVERY_MS)))
    problems.push(`trial ${trial}: nothing was accepted before (${name})`);
  await pause(random() * 500);
  await LIMITS[name]?.(trial);
  const wellMs = performance.now();
  const accepted = gateway.acceptedThrough;
  const works = await waitFor(() => {
    // As a service manager does.
    if (!gateway.isRunning) gateway.start();
    return gateway.acceptedThrough > accepted;
  }, RECOVERY_MS);
  if (!works) problems.push(`trial ${trial}: nothing was accepted after (${name})`);
  slowestRecoveryMs = Math.max(slowestRecoveryMs, Math.round(performance.now() - wellMs));
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
const { isGood, facts } = await rig.settle({ trials, ...Object.fromEntries(counts), slowestRecoveryMs });
report('F12, F13 second gateway, no descriptors, no memory', facts);
process.exitCode = isGood ? 0 : 1;
