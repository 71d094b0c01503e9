/**
 * F18: the network between gateway and broker delays, stalls, loses acknowledgements, breaks and is half-open, while gateway and
 * broker are killed at random: `node test/fault/chaos-kill.ts --trials 500 --seed 7`. Then as F1. What a killed broker took with it
 * the receiver asks for again.
 */
import { parseArgs } from 'node:util';
import { BUILT_MAIN, pause, report } from './command.ts';
import { FaultRig } from './rig.ts';

const { values: options } = parseArgs({
  options: {
    trials: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    main: { type: 'string', default: BUILT_MAIN },
  },
});
const trials = Number(options.trials);
const rig = new FaultRig({ main: options.main, seed: Number(options.seed), cutChance: 0.04, losesBroker: true });
const { gateway, problems, random } = rig;

/** Each leaves the line sound and the broker there; the gateway may be down. */
const EVENTS = {
  'gateway killed': () => gateway.end('SIGKILL'),
  'broker killed': () => rig.killBroker(random() * 500),
  'line broken': async () => {
    rig.proxy.sever();
    await pause(random() * 1500);
    rig.proxy.mend();
  },
  'half-open': async () => {
    rig.proxy.silence();
    await pause(random() * 2000);
    rig.proxy.mend();
  },
  'gateway killed on a half-open line': async () => {
    rig.proxy.silence();
    await pause(random() * 800);
    await gateway.end('SIGKILL');
    rig.proxy.mend();
  },
  'gateway and broker killed': async () => {
    await gateway.end('SIGKILL');
    await rig.killBroker(random() * 300);
  },
} as const;
type ChaosEvent = keyof typeof EVENTS;
const NAMES = Object.keys(EVENTS) as ChaosEvent[];
const counts = new Map<string, number>();

await rig.start();
gateway.start();
for (let trial = 1; trial <= trials; trial += 1) {
  const name = NAMES[Math.floor(random() * NAMES.length)] ?? 'gateway killed';
  await pause(300 + random() * 1000);
  if (!gateway.isRunning) problems.push(`trial ${trial}: the gateway had ended by itself`);
  await EVENTS[name]();
  if (!gateway.isRunning) gateway.start();
  counts.set(name, (counts.get(name) ?? 0) + 1);
  if (trial % 20 === 0)
    console.log(`${trial} events, accepted through ${gateway.acceptedThrough}, received ${rig.oracle.size}`);
}
const { isGood, facts } = await rig.settle({ trials, ...Object.fromEntries(counts) });
report('F18 network chaos and kills', facts);
process.exitCode = isGood ? 0 : 1;
