/**
 * F11: a store with a flipped bit, a page of zeros, a file cut off or removed: `node test/fault/corruption.ts --trials 60
 * --seed 7`. The gateway must take new samples within 30 s, send no value that was not measured, and say so when something
 * is lost: every sample that does not arrive lies inside a gap that does.
 */
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { receiveBatches } from '../../src/forward/receive.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createLog } from '../../src/runtime/log.ts';
import { BUILT_MAIN, pause, report, waitFor } from './command.ts';
import { corrupt, DAMAGES, type Damage, needsWal } from './corrupt.ts';
import { GatewayProcess } from './gateway-process.ts';
import { FaultRig } from './rig.ts';
import { observedAtOf, sampleKey, storedTruth } from './stored-records.ts';

const { values: options } = parseArgs({
  options: {
    trials: { type: 'string', default: '70' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    main: { type: 'string', default: BUILT_MAIN },
    /** Only this kind of damage. */
    damage: { type: 'string', default: '' },
  },
});
const START_MS = 30_000;
const MAX_STARTS = 3;
/** Nothing old came for so long: nothing more will. */
const QUIET_MS = 2000;
/** A gap that says what does not come is there by then. */
const GAP_MS = 15_000;
/** Between when a sample was observed and when it was taken, by which gaps are told. */
const GAP_TOLERANCE_MS = 1500;

const trials = Number(options.trials);
const main = options.main;
const rig = new FaultRig({ main, seed: Number(options.seed), cutChance: 0 });
const { random, folder } = rig;
const killed = join(folder, 'killed');
const ended = join(folder, 'ended');
const results = new Map<string, number>();
const details: string[] = [];
const note = (damage: Damage, result: string, detail: string): void => {
  const key = `${damage}: ${result}`;
  results.set(key, (results.get(key) ?? 0) + 1);
  if (details.length < 40) details.push(`${detail}: ${result}`);
  console.log(`${detail}: ${result}`);
};

/** Two stores full of what was never sent: one as a kill leaves it, one that was closed. */
async function prepare(): Promise<number> {
  await rig.start();
  rig.proxy.sever();
  rig.gateway.start();
  await pause(15_000);
  await rig.gateway.end('SIGKILL');
  cpSync(rig.dataDir, killed, { recursive: true });
  rig.gateway.start();
  await pause(1500);
  await rig.gateway.end('SIGTERM');
  cpSync(rig.dataDir, ended, { recursive: true });
  rig.proxy.mend();
  return Date.now();
}

const preparedAtMs = await prepare();
const truthOf = (source: string): ReturnType<typeof storedTruth> => {
  const copy = `${source}-look`;
  cpSync(source, copy, { recursive: true });
  return storedTruth(copy);
};
const truths = { [killed]: truthOf(killed), [ended]: truthOf(ended) };
const failures = { notStarted: 0, badValues: 0, silentLosses: 0, refusedByReceiver: 0, endedByItself: 0 };
let lossesDeclared = 0;
/** Stores of which nothing could be read. */
let lostWhole = 0;
let slowestStartMs = 0;

async function trial(number: number, damage: Damage): Promise<void> {
  const source = needsWal(damage) ? killed : ended;
  const truth = truths[source];
  if (truth === undefined) throw new Error('no truth');
  const dataDir = join(folder, 'trial');
  const logFile = join(folder, 'trial.log');
  rmSync(dataDir, { recursive: true, force: true });
  rmSync(logFile, { force: true });
  cpSync(source, dataDir, { recursive: true });
  const where = `trial ${number}, ${corrupt(dataDir, damage, truth.blocks, random)}`;
  const bad: string[] = [];
  const refused: string[] = [];
  const arrived = new Set<string>();
  const gaps: { readonly from: number; readonly to: number }[] = [];
  let old = 0;
  const missingKeys = (): readonly string[] => [...truth.values.keys()].filter((key) => !arrived.has(key));
  const isInGap = (at: number): boolean =>
    gaps.some(({ from, to }) => at >= from - GAP_TOLERANCE_MS && at <= to + GAP_TOLERANCE_MS);
  const silentKeys = (): readonly string[] => missingKeys().filter((key) => !isInGap(observedAtOf(key)));
  const receiver = await receiveBatches(
    {
      brokerUrl: `mqtt://127.0.0.1:${rig.brokerPort}`,
      prefix: 'kill/v1',
      clientId: `corruption-${number}`,
      onRecord: (record) => {
        if (record['cause'] === 'store-damaged')
          gaps.push({ from: Date.parse(String(record['from'])), to: Date.parse(String(record['to'])) });
        const observedAtMs = Date.parse(String(record['observedAt']));
        if (record['kind'] !== 'sample' || observedAtMs > preparedAtMs) return;
        old += 1;
        const key = sampleKey(String(record['place']), String(record['quantity']), observedAtMs);
        arrived.add(key);
        const isTrue = truth.values.get(key)?.has(record['value'] as number | null) ?? false;
        if (!isTrue) bad.push(`${key} = ${String(record['value'])}`);
      },
      onProblem: ({ kind, detail }) => {
        if (kind === 'bad-hash' || kind === 'malformed') refused.push(`${kind}: ${detail}`);
      },
    },
    { clock: systemClock, log: createLog('silent') },
  );
  const gateway = new GatewayProcess({ main, dataDir, flowFile: rig.flowFile, logFile });
  const startedMs = performance.now();
  gateway.start();
  // As a service manager does; a gateway that ends again and again does not start.
  let starts = 1;
  await waitFor(() => {
    if (!gateway.isRunning && starts < MAX_STARTS) {
      gateway.start();
      starts += 1;
    }
    return gateway.acceptedThrough > 0 || !gateway.isRunning;
  }, START_MS);
  const hasStarted = gateway.acceptedThrough > 0;
  const startMs = Math.round(performance.now() - startedMs);
  if (hasStarted) {
    slowestStartMs = Math.max(slowestStartMs, startMs);
    for (let before = -1; old < truth.samples && old !== before;) {
      before = old;
      await waitFor(() => old >= truth.samples, QUIET_MS);
    }
    // A gap is written once the gateway runs and goes with a batch of its own.
    await waitFor(() => silentKeys().length === 0 || !gateway.isRunning, GAP_MS);
    if (!gateway.isRunning) {
      failures.endedByItself += 1;
      note(damage, 'ended by itself', where);
    }
  } else {
    failures.notStarted += 1;
    note(damage, 'did not start', where);
  }
  await gateway.end('SIGKILL');
  await receiver.stop();
  const log = readFileSync(logFile, 'utf8');
  if (bad.length > 0) {
    failures.badValues += 1;
    note(damage, `bad values sent (${bad.slice(0, 2).join('; ')})`, where);
  }
  if (refused.length > 0) {
    failures.refusedByReceiver += 1;
    note(damage, `sent what the receiver refuses (${refused[0]})`, where);
  }
  if (!hasStarted || missingKeys().length === 0) return;
  const silent = silentKeys();
  if (log.includes('the store was lost as a whole')) lostWhole += 1;
  if (silent.length === 0) lossesDeclared += 1;
  else {
    failures.silentLosses += 1;
    note(damage, `silent loss of ${silent.length} of ${truth.samples} (${silent[0]}; ${gaps.length} gaps)`, where);
  }
}

for (let number = 1; number <= trials; number += 1) {
  const damage = DAMAGES.find((one) => one === options.damage) ?? DAMAGES[number % DAMAGES.length] ?? 'db: one bit';
  await trial(number, damage);
  if (number % 20 === 0) console.log(`${number} trials, ${JSON.stringify(failures)}`);
}
await rig.stop();
const sum = Object.values(failures).reduce((total, count) => total + count, 0);
report('F11 damaged files', {
  seed: options.seed,
  trials,
  samples: Object.values(truths).map(({ samples }) => samples),
  ...failures,
  failures: sum,
  lossesDeclared,
  lostWhole,
  slowestStartMs,
  details,
});
if (sum === 0) rmSync(folder, { recursive: true, force: true });
process.exitCode = sum === 0 ? 0 : 1;
