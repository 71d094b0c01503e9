/**
 * F18, F21: the line to a real broker is half-open, loses acknowledgements, breaks in the middle of a publish, is slow or dead:
 * `node test/fault/link-faults.ts --trials 50 --seed 7`. Time runs 30 times as fast. Exit 1 when something that was accepted was
 * lost or came in two batches, a half-open line was not found within 45 s, or nothing flowed a minute after the line was well.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { receiveBatches } from '../../src/forward/receive.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { seededRandom } from '../../src/sources/simulate/random.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { BUILT_MAIN, report, startMosquitto } from './command.ts';
import { DeliveryRig, passSeconds, PREFIX, secondsUntil, SPEED } from './delivery-rig.ts';
import { type LinkFault, LinkProxy } from './link-proxy.ts';

const { values: options } = parseArgs({
  options: {
    trials: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    main: { type: 'string', default: BUILT_MAIN },
  },
});

const FAULTS: readonly LinkFault[] = [
  'half-open',
  'PUBACK lost',
  'cut in mid-publish',
  'slow link',
  'flapping',
  'no connection',
];
const HALF_OPEN_SECONDS = 45;
const RECOVERY_SECONDS = 62;
/** On a line that breaks every few seconds batches still get through: the longest time without one. */
const FLAPPING_SECONDS = 40;
const DRAIN_SECONDS = 300;

const seed = Number(options.seed);
const random = seededRandom(seed);
const folder = mkdtempSync(join(tmpdir(), 'cigale-link-'));
const broker = await startMosquitto(folder);
const proxy = new LinkProxy({ targetPort: broker.port, speed: SPEED });
await proxy.start();
const rig = new DeliveryRig({
  main: options.main,
  brokerUrl: `mqtt://127.0.0.1:${proxy.port}`,
  random,
  streams: ['ville'],
});
const received = new Set<number>();
const problems: string[] = [];
let lastMs = 0;
let longestPauseMs = 0;
const receiver = await receiveBatches(
  {
    brokerUrl: `mqtt://127.0.0.1:${broker.port}`,
    prefix: PREFIX,
    clientId: 'oracle',
    onRecord: (record) => {
      received.add(Number(record['id']));
      longestPauseMs = Math.max(longestPauseMs, rig.clock.monotonicMs() - lastMs);
      lastMs = rig.clock.monotonicMs();
    },
    onProblem: ({ kind, detail }) => void (kind === 'gap' || problems.push(`${kind}: ${detail}`)),
  },
  { clock: systemClock, log: memoryLog() },
);
await rig.start();

let slowestRecoverySeconds = 0;
let slowestFoundSeconds = 0;
let slowestFlappingSeconds = 0;
for (let trial = 0; trial < Number(options.trials); trial += 1) {
  const fault = FAULTS[trial % FAULTS.length] ?? 'half-open';
  const strikes = proxy.strikes;
  await passSeconds(5 + 10 * random());
  proxy.set(fault);
  if (fault === 'half-open') {
    const foundSeconds = await secondsUntil(rig.clock, () => !rig.upstream.online, HALF_OPEN_SECONDS);
    slowestFoundSeconds = Math.max(slowestFoundSeconds, foundSeconds);
    if (foundSeconds > HALF_OPEN_SECONDS) problems.push(`trial ${trial}: the half-open line was not found`);
  }
  lastMs = rig.clock.monotonicMs();
  longestPauseMs = 0;
  await passSeconds(20 + 60 * random());
  if (fault === 'flapping') {
    const pauseMs = Math.max(longestPauseMs, rig.clock.monotonicMs() - lastMs);
    slowestFlappingSeconds = Math.max(slowestFlappingSeconds, pauseMs / 1000);
  }
  if (proxy.strikes === strikes) problems.push(`trial ${trial}: ${fault} did not strike`);
  proxy.set(null);
  const before = received.size;
  const recoverySeconds = await secondsUntil(rig.clock, () => received.size > before, RECOVERY_SECONDS);
  slowestRecoverySeconds = Math.max(slowestRecoverySeconds, recoverySeconds);
  if (recoverySeconds > RECOVERY_SECONDS) problems.push(`trial ${trial}: nothing flowed within a minute (${fault})`);
}
rig.pauseFeeding();
if (slowestFlappingSeconds > FLAPPING_SECONDS) problems.push('a flapping line delivered nothing for long');
await secondsUntil(rig.clock, () => received.size === rig.accepted, DRAIN_SECONDS);
const lost = rig.accepted - received.size;
const { repeats: repeatedBatches, repeatedRecords } = receiver.counters();
await rig.stop();
await receiver.stop();
await proxy.stop();
broker.process.kill();
rmSync(folder, { recursive: true, force: true });
const isGood = lost === 0 && repeatedRecords === 0 && problems.length === 0;
report('F18 the line fails', {
  seed,
  trials: Number(options.trials),
  failures: isGood ? 0 : 1,
  accepted: rig.accepted,
  lost,
  recordsInTwoBatches: repeatedRecords,
  repeatedBatches,
  slowestRecoverySeconds: Math.round(slowestRecoverySeconds),
  slowestFoundSeconds: Math.round(slowestFoundSeconds),
  slowestFlappingSeconds: Math.round(slowestFlappingSeconds),
  problems: problems.slice(0, 10),
});
process.exitCode = isGood ? 0 : 1;
