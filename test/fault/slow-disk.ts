/**
 * F10: every fsync of the store takes 100 ms: `node test/fault/slow-disk.ts --seconds 20 --fsync-ms 100`. Exit 1 when something
 * accepted did not arrive, fewer than 100 samples a second were accepted, or the main thread waited for the disk.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tmpdir } from 'node:os';
import { BUILT_MAIN, pause, report, waitFor } from './command.ts';
import { FaultyDisk } from './faulty-disk.ts';
import { FaultRig } from './rig.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    'fsync-ms': { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    main: { type: 'string', default: BUILT_MAIN },
  },
});
const PROBE = join(import.meta.dirname, '../bench/event-loop-probe.ts');
const SAMPLES_A_SECOND = 100;
/** Half of one fsync: above it the main thread has waited for the disk. */
const fsyncMs = Number(options['fsync-ms']);
const maxP99Ms = fsyncMs / 2;

interface Delay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

async function run(folder: string, disk: FaultyDisk): Promise<boolean> {
  const seed = Number(options.seed);
  const seconds = Number(options.seconds);
  const file = join(folder, 'event-loop.json');
  const env = { ...disk.env, NODE_OPTIONS: `--import ${PROBE}`, EVENT_LOOP_FILE: file };
  const rig = new FaultRig({ main: options.main, seed, cutChance: 0, dataDir: join(folder, 'data'), env });
  const { gateway, oracle } = rig;
  const measure = async (): Promise<Delay> => {
    process.kill(gateway.pid, 'SIGUSR2');
    await pause(300);
    return JSON.parse(readFileSync(file, 'utf8')) as Delay;
  };
  await rig.start();
  gateway.start();
  await waitFor(() => gateway.acceptedThrough > 100, 20_000);
  await measure();
  await pause(5000);
  const usual = await measure();
  disk.set(null, fsyncMs);
  const before = gateway.acceptedThrough;
  await pause(seconds * 1000);
  const slow = await measure();
  const accepted = gateway.acceptedThrough;
  disk.set(null);
  const hasArrived = await waitFor(() => oracle.has(accepted), 30_000);
  await pause(1000);
  const lost = Array.from({ length: accepted }, (_, index) => index + 1).filter((id) => !oracle.has(id)).length;
  await rig.stop();
  rmSync(rig.folder, { recursive: true, force: true });
  const perSecond = (accepted - before) / seconds;
  const isGood = hasArrived && lost === 0 && perSecond >= SAMPLES_A_SECOND && slow.p99 <= maxP99Ms;
  report('F10 slow disk', {
    seed,
    trials: 1,
    failures: isGood ? 0 : 1,
    fsyncMs,
    acceptedPerSecond: Math.round(perSecond),
    lost,
    eventLoopDelayMs: { usual, slow },
  });
  return isGood;
}

const folder = mkdtempSync(join(tmpdir(), 'cigale-slow-disk-'));
const disk = FaultyDisk.create(folder, join(folder, 'data'));
if (disk === null) console.log('F10 slow disk: skipped, there is no gcc to compile the faulty disk');
else process.exitCode = (await run(folder, disk)) ? 0 : 1;
rmSync(folder, { recursive: true, force: true });
