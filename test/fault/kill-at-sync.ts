/**
 * F2: the process ends exactly before or after an fsync, or with half of a write done, at each of the first calls after a start and
 * then at later ones: `node test/fault/kill-at-sync.ts --trials 300 --seed 7`. Then as F1.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BUILT_MAIN, report } from './command.ts';
import { FaultyDisk, KILL_POINTS, type KillPoint } from './faulty-disk.ts';
import { FaultRig } from './rig.ts';

const { values: options } = parseArgs({
  options: {
    trials: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    main: { type: 'string', default: BUILT_MAIN },
  },
});
/** A gateway under load syncs some ten times a second and writes more often. */
const END_MS = 30_000;
/** Calls after a start that are gone through one by one. */
const MAX_CALL = 40;
const POINTS = Object.keys(KILL_POINTS) as KillPoint[];
const trials = Number(options.trials);
/** Half of the trials go through the first calls. */
const mostCalls = Math.min(MAX_CALL, Math.ceil(trials / 2 / POINTS.length));

const folder = mkdtempSync(join(tmpdir(), 'cigale-sync-'));
const dataDir = join(folder, 'data');
const disk = FaultyDisk.create(folder, dataDir);

async function run(on: FaultyDisk): Promise<boolean> {
  const rig = new FaultRig({ main: options.main, seed: Number(options.seed), cutChance: 0.02, dataDir, env: on.env });
  const { gateway, problems, random } = rig;
  const ends = new Map<string, number>();
  await rig.start();
  for (let trial = 1; trial <= trials; trial += 1) {
    const point = POINTS[trial % POINTS.length] ?? 'before an fsync';
    const round = Math.floor((trial - 1) / POINTS.length);
    // Each of the first calls in its turn; when all were had, any.
    const call = round < mostCalls ? round + 1 : 1 + Math.floor(random() * 2 * MAX_CALL);
    on.killAt(point, call);
    gateway.start();
    if (await gateway.hasEnded(END_MS)) ends.set(point, (ends.get(point) ?? 0) + 1);
    else problems.push(`trial ${trial}: call ${call} (${point}) did not come`);
    await gateway.end('SIGKILL');
    if (trial % 20 === 0) console.log(`${trial} ends, accepted through ${gateway.acceptedThrough}`);
  }
  on.spare();
  gateway.start();
  const { isGood, facts } = await rig.settle({ trials, ...Object.fromEntries(ends) });
  report('F2 kill at each fsync', facts);
  return isGood;
}

if (disk === null) {
  console.log('F2 kill at each fsync: skipped, there is no gcc to compile the faulty disk');
} else {
  const isGood = await run(disk);
  if (isGood) rmSync(folder, { recursive: true, force: true });
  process.exitCode = isGood ? 0 : 1;
}
