/**
 * F1: kill -9 at random moments under load, with a proxy that loses acknowledgements:
 * `node test/fault/kill.ts --trials 200 --seed 7`. Exit 1 when anything that was accepted was lost, doubled or wrongly
 * computed. `--main FILE` runs another build (a mutant), `--driver NAME` the store on that SQL library.
 */
import { parseArgs } from 'node:util';
import { BUILT_MAIN, pause, report } from './command.ts';
import { FaultRig } from './rig.ts';

const { values: options } = parseArgs({
  options: {
    trials: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    main: { type: 'string', default: BUILT_MAIN },
    'cut-chance': { type: 'string', default: '0.02' },
    driver: { type: 'string' },
    /** How long a mutant, which may never deliver all, is waited for. */
    'drain-seconds': { type: 'string' },
    quiet: { type: 'boolean', default: false },
  },
});

const trials = Number(options.trials);
const { driver, 'drain-seconds': drainSeconds } = options;
if (driver !== undefined) process.env['CIGALE_SQLITE_DRIVER'] = driver;
const rig = new FaultRig({
  main: options.main,
  seed: Number(options.seed),
  cutChance: Number(options['cut-chance']),
  ...(drainSeconds === undefined ? {} : { drainMs: 1000 * Number(drainSeconds) }),
});
const { gateway, problems, random } = rig;
await rig.start();
for (let trial = 1; trial <= trials; trial += 1) {
  gateway.start();
  await pause(300 + random() * 1200);
  if (!gateway.isRunning) problems.push(`trial ${trial}: the gateway had ended by itself`);
  await gateway.end('SIGKILL');
  if (!options.quiet && trial % 20 === 0)
    console.log(`${trial} kills, accepted through ${gateway.acceptedThrough}, received ${rig.oracle.size}`);
}
gateway.start();
const { isGood, facts } = await rig.settle({ trials });
report(driver === undefined ? 'F1 kill -9' : `F1 kill -9, on ${driver}`, facts);
process.exitCode = isGood ? 0 : 1;
