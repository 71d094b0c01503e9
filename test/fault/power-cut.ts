/**
 * F4: power cuts of a real ext4 under load (root): `node test/fault/power-cut.ts --trials 200 --seed 7`. What was reported as
 * accepted just before each cut must be on the disk after it; then as F1. `--main FILE` runs another build (a mutant).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BUILT_MAIN, pause, report } from './command.ts';
import { Ext4Volume } from './ext4-volume.ts';
import { FaultRig } from './rig.ts';
import { storedHead } from './stored-head.ts';

const { values: options } = parseArgs({
  options: {
    trials: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    main: { type: 'string', default: BUILT_MAIN },
  },
});
const trials = Number(options.trials);
const folder = mkdtempSync(join(tmpdir(), 'cigale-volume-'));
const volume = new Ext4Volume(folder, 400);
const rig = new FaultRig({
  main: options.main,
  seed: Number(options.seed),
  cutChance: 0.02,
  dataDir: join(volume.path, 'data'),
});
const { gateway, problems, random } = rig;
let startsWithoutCommit = 0;

async function cut(trial: number): Promise<void> {
  const before = gateway.acceptedThrough;
  gateway.start();
  await pause(600 + random() * 1900);
  if (!gateway.isRunning) problems.push(`trial ${trial}: the gateway had ended by itself`);
  // What the gateway still sends while its disk is being cut would not have left a gateway without power.
  rig.proxy.sever();
  const mark = gateway.acceptedThrough;
  volume.cutPower();
  await gateway.endAt(mark);
  volume.unmount();
  volume.mount();
  if (mark === before) startsWithoutCommit += 1;
  const { lastId, integrity } = storedHead(rig.dataDir);
  if (lastId < mark) problems.push(`trial ${trial}: accepted through ${mark}, on disk through ${lastId}`);
  if (integrity !== 'ok') problems.push(`trial ${trial}: ${integrity}`);
  rig.proxy.mend();
}

await rig.start();
for (let trial = 1; trial <= trials; trial += 1) {
  await cut(trial);
  if (trial % 20 === 0)
    console.log(`${trial} cuts, accepted through ${gateway.acceptedThrough}, received ${rig.oracle.size}`);
}
gateway.start();
const { isGood, facts } = await rig.settle({ trials, startsWithoutCommit });
report('F4 power cut', facts);
volume.unmount();
if (isGood) rmSync(folder, { recursive: true, force: true });
process.exitCode = isGood ? 0 : 1;
