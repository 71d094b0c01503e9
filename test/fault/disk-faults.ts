/**
 * F7 and F10, without root: the disk refuses fsync, write, read or to open a file, writes half, is full, read-only or slow while the
 * gateway works, and is well again after a while: `node test/fault/disk-faults.ts --trials 50 --seed 7`. The gateway must go on by
 * itself; a third of the trials kill it while the disk still fails, and half of those start it before the disk is well. Then as F1.
 */
import { parseArgs } from 'node:util';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUILT_MAIN, pause, report, waitFor } from './command.ts';
import { DISK_FAULTS, type DiskFault, FaultyDisk } from './faulty-disk.ts';
import { FaultRig } from './rig.ts';

const { values: options } = parseArgs({
  options: {
    trials: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    main: { type: 'string', default: BUILT_MAIN },
    'kill-chance': { type: 'string', default: '0.33' },
  },
});
/** The longest wait of the store between two attempts, and some. */
const RECOVERY_MS = 40_000;
const KINDS = Object.keys(DISK_FAULTS) as DiskFault[];

const folder = mkdtempSync(join(tmpdir(), 'cigale-disk-'));
const dataDir = join(folder, 'data');
const disk = FaultyDisk.create(folder, dataDir);

async function run(on: FaultyDisk): Promise<boolean> {
  const trials = Number(options.trials);
  const killChance = Number(options['kill-chance']);
  const rig = new FaultRig({
    main: options.main,
    seed: Number(options.seed),
    cutChance: 0.02,
    dataDir,
    env: on.env,
  });
  const { gateway, problems, random } = rig;
  const recoveriesMs: number[] = [];
  let kills = 0;
  let startsOnFaults = 0;
  let peakRssMiB = 0;
  const isWorking = (mayEnd = false): Promise<boolean> => {
    const before = gateway.acceptedThrough;
    return waitFor(() => {
      if (mayEnd && !gateway.isRunning) gateway.start();
      return gateway.acceptedThrough > before;
    }, RECOVERY_MS);
  };
  /** A gateway may end on a disk that refuses; whoever started it does so again. */
  const startsOnFailing = async (): Promise<void> => {
    startsOnFaults += 1;
    gateway.start();
    await pause(500 + random() * 1500);
  };
  await rig.start();
  gateway.start();
  for (let trial = 1; trial <= trials; trial += 1) {
    const kind = KINDS[trial % KINDS.length] ?? 'fsync fails';
    const isKilled = random() < killChance;
    if (!(await isWorking())) problems.push(`trial ${trial}: nothing was accepted before the fault`);
    await pause(random() * 400);
    on.set(kind);
    await pause(200 + random() * 1800);
    peakRssMiB = Math.max(peakRssMiB, gateway.peakRssMiB);
    if (!gateway.isRunning) problems.push(`trial ${trial}: the gateway ended by itself (${kind})`);
    if (isKilled) {
      await gateway.end('SIGKILL');
      if (random() < 0.5) await startsOnFailing();
    }
    on.set(null, trial % 10 === 0 ? 100 : 0);
    if (!gateway.isRunning) gateway.start();
    if (isKilled) kills += 1;
    const wellMs = performance.now();
    if (!(await isWorking(isKilled))) problems.push(`trial ${trial}: nothing was accepted after the fault (${kind})`);
    recoveriesMs.push(performance.now() - wellMs);
    if (trial % 10 === 0) console.log(`${trial} faults, accepted through ${gateway.acceptedThrough}`);
  }
  on.set(null);
  const slowestRecoveryMs = Math.round(Math.max(...recoveriesMs));
  const { isGood, facts } = await rig.settle({ trials, kills, startsOnFaults, slowestRecoveryMs, peakRssMiB });
  report('F7 the disk fails', facts);
  return isGood;
}

if (disk === null) {
  console.log('F7 the disk fails: skipped, there is no gcc to compile the faulty disk');
} else {
  const isGood = await run(disk);
  if (isGood) rmSync(folder, { recursive: true, force: true });
  process.exitCode = isGood ? 0 : 1;
}
