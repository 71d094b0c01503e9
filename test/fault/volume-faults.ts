/**
 * F8 and F9 on a real ext4 (root): others fill the disk and free it again; the file system breaks and turns read-only until
 * the next boot: `node test/fault/volume-faults.ts --trials 30 --seed 7`. Then as F1.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BUILT_MAIN, pause, report, waitFor } from './command.ts';
import { Ext4Volume } from './ext4-volume.ts';
import { FaultRig } from './rig.ts';
import { storedHead } from './stored-head.ts';

const { values: options } = parseArgs({
  options: {
    trials: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    main: { type: 'string', default: BUILT_MAIN },
  },
});
const RECOVERY_MS = 40_000;
const trials = Number(options.trials);
const folder = mkdtempSync(join(tmpdir(), 'cigale-volume-'));
const volume = new Ext4Volume(folder, 32);
const filler = join(volume.path, 'filler');
const rig = new FaultRig({
  main: options.main,
  seed: Number(options.seed),
  cutChance: 0.02,
  dataDir: join(volume.path, 'data'),
});
const { gateway, problems, random } = rig;
const counts = { full: 0, startedOnFull: 0, readOnly: 0, endedOnReadOnly: 0 };
let peakRssMiB = 0;

/** Takes the last free block. */
function fillVolume(): void {
  const file = openSync(filler, 'w');
  try {
    for (const size of [1 << 20, 1 << 12]) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}

async function mustWork(trial: number, when: string): Promise<void> {
  if (!gateway.isRunning) gateway.start();
  const before = gateway.acceptedThrough;
  if (await waitFor(() => gateway.acceptedThrough > before, RECOVERY_MS)) return;
  problems.push(`trial ${trial}: nothing was accepted ${when}`);
}

async function full(trial: number): Promise<void> {
  counts.full += 1;
  fillVolume();
  await pause(1000 + random() * 4000);
  peakRssMiB = Math.max(peakRssMiB, gateway.peakRssMiB);
  if (!gateway.isRunning) problems.push(`trial ${trial}: the gateway ended by itself on a full disk`);
  if (random() < 0.4) {
    // A gateway that is started while the disk is full works once there is room; its service manager starts it until then.
    counts.startedOnFull += 1;
    await gateway.end('SIGKILL');
    gateway.start();
    await pause(1500);
  }
  rmSync(filler);
  await mustWork(trial, 'after there was room again');
}

async function readOnly(trial: number): Promise<void> {
  counts.readOnly += 1;
  volume.breakDown();
  await pause(500 + random() * 2000);
  peakRssMiB = Math.max(peakRssMiB, gateway.peakRssMiB);
  if (!gateway.isRunning) problems.push(`trial ${trial}: the gateway ended by itself on a read-only disk`);
  if (random() < 0.5) {
    counts.endedOnReadOnly += 1;
    const forced = setTimeout(() => {
      problems.push(`trial ${trial}: the gateway did not end on a read-only disk`);
      void gateway.end('SIGKILL');
    }, 20_000);
    await gateway.end('SIGTERM');
    clearTimeout(forced);
  } else await gateway.end('SIGKILL');
  volume.unmount();
  volume.repair();
  volume.mount();
  const { lastId, integrity } = storedHead(rig.dataDir);
  const mark = gateway.acceptedThrough;
  if (lastId < mark) problems.push(`trial ${trial}: accepted through ${mark}, on disk through ${lastId}`);
  if (integrity !== 'ok') problems.push(`trial ${trial}: ${integrity}`);
  await mustWork(trial, 'after the repair');
}

await rig.start();
for (let trial = 1; trial <= trials; trial += 1) {
  await mustWork(trial, 'before the fault');
  await pause(random() * 1000);
  await (trial % 3 === 0 ? readOnly(trial) : full(trial));
  // In order now and then, so that the next one begins with a new WAL that has to grow.
  if (random() < 0.5) await gateway.end('SIGTERM');
  if (trial % 10 === 0) console.log(`${trial} faults, accepted through ${gateway.acceptedThrough}`);
}
await mustWork(trials, 'at the end');
const refusals = readFileSync(join(rig.folder, 'gateway.log'), 'utf8').split('the disk refuses commits').length - 1;
const { isGood, facts } = await rig.settle({ trials, ...counts, refusals, peakRssMiB });
report('F8, F9 disk full, read-only', facts);
volume.unmount();
if (isGood) rmSync(folder, { recursive: true, force: true });
else writeFileSync(join(folder, 'seed'), `${options.seed}\n`);
process.exitCode = isGood ? 0 : 1;
