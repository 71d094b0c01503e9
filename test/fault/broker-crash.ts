/**
 * F20: the broker is killed while it holds acknowledged batches for a receiver that is away:
 * `node test/fault/broker-crash.ts --trials 5 --seed 7`. Time runs 30 times as fast. The receiver asks for what never came, and the
 * gateway still has it. Exit 1 when a record is missing in the end or came twice, or the broker held nothing when it was killed.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type BatchReceiver, receiveBatches } from '../../src/forward/receive.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { seededRandom } from '../../src/sources/simulate/random.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { BUILT_MAIN, report, startMosquitto } from './command.ts';
import { DeliveryRig, passSeconds, PREFIX, secondsUntil } from './delivery-rig.ts';

const { values: options } = parseArgs({
  options: {
    trials: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    main: { type: 'string', default: BUILT_MAIN },
  },
});

const STREAM = 'ville';
const RESTORE_SECONDS = 600;
const seed = Number(options.seed);
const random = seededRandom(seed);
const folder = mkdtempSync(join(tmpdir(), 'cigale-crash-'));
let broker = await startMosquitto(folder);
const rig = new DeliveryRig({
  main: options.main,
  brokerUrl: `mqtt://127.0.0.1:${broker.port}`,
  random,
  streams: [STREAM],
});
const received = new Set<number>();
const problems: string[] = [];
let twice = 0;

const receive = (): Promise<BatchReceiver> =>
  receiveBatches(
    {
      brokerUrl: `mqtt://127.0.0.1:${broker.port}`,
      prefix: PREFIX,
      clientId: 'oracle',
      persistent: true,
      history: true,
      resendAfterMs: 300,
      // Its memory of batches does not outlive a stop: the records that it asks for again are told apart here.
      onRecord: (record) => void received.add(Number(record['id'])),
      onProblem: ({ kind, detail }) =>
        void (kind === 'gap' || kind === 'connection' || problems.push(`${kind}: ${detail}`)),
    },
    { clock: systemClock, log: memoryLog() },
  );

const isAllThere = (): boolean => received.size === rig.accepted;
let held = 0;
let receiver = await receive();
await rig.start();
for (let trial = 1; trial <= Number(options.trials); trial += 1) {
  await passSeconds(5 + 5 * random());
  await receiver.stop();
  const before = received.size;
  await passSeconds(20 + 20 * random());
  const sender = rig.senders.get(STREAM);
  const acknowledged = rig.accepted - (sender?.status().backlogRecords ?? 0);
  held += acknowledged - before;
  if (acknowledged <= before) problems.push(`trial ${trial}: the broker held nothing when it was killed`);
  const ended = once(broker.process, 'exit');
  broker.process.kill('SIGKILL');
  await ended;
  broker = await startMosquitto(folder, broker.port);
  receiver = await receive();
  rig.pauseFeeding();
  const seconds = await secondsUntil(rig.clock, isAllThere, RESTORE_SECONDS);
  if (seconds === Infinity) problems.push(`trial ${trial}: ${rig.accepted - received.size} records are missing`);
  twice += receiver.counters().repeatedRecords;
  rig.feed();
}
rig.pauseFeeding();
await secondsUntil(rig.clock, isAllThere, RESTORE_SECONDS);
const lost = rig.accepted - received.size;
await rig.stop();
await receiver.stop();
broker.process.kill();
rmSync(folder, { recursive: true, force: true });
const isGood = lost === 0 && twice === 0 && problems.length === 0;
report('F20 the broker crashes', {
  seed,
  trials: Number(options.trials),
  failures: isGood ? 0 : 1,
  accepted: rig.accepted,
  heldByTheBrokerWhenKilled: held,
  lost,
  recordsInTwoBatches: twice,
  problems: problems.slice(0, 10),
});
process.exitCode = isGood ? 0 : 1;
