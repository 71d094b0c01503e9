/**
 * F17: the broker was away for 30 days of a noise meter, 2,592,000 samples; then it is there, and live samples go on coming:
 * `node test/fault/outage.ts --samples 2592000 --rate 10000`. Exit 1 when a record was lost or came twice, a live one was
 * older than 5 s when it arrived, or the memory grew while the backlog was sent.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { receiveBatches } from '../../src/forward/receive.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { LineServer } from '../../src/sources/simulate/line-server.ts';
import { openStore } from '../../src/store/sqlite-store.ts';
import { sampleEntries } from '../fakes/memory-outbox.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { BUILT_MAIN, report, startMosquitto, waitFor } from './command.ts';
import { GatewayProcess } from './gateway-process.ts';
import { LIVE_PLACE, OUTAGE_PREFIX, OUTAGE_STREAM, outageFlow } from './outage-flow.ts';

const { values: options } = parseArgs({
  options: {
    samples: { type: 'string', default: '2592000' },
    /** Records a second that the backlog may be sent at. */
    rate: { type: 'string', default: '10000' },
    main: { type: 'string', default: BUILT_MAIN },
  },
});

const samples = Number(options.samples);
const rate = Number(options.rate);
const CHUNK = 2000;
const LIVE_LINES_A_SECOND = 10;
const MAX_LIVE_AGE_MS = 5000;
const MAX_GROWTH_MIB = 40;
/** Three times what the rate asks for, and the start. */
const DEADLINE_MS = (3000 * samples) / Math.min(rate, 20_000) + 60_000;

const folder = mkdtempSync(join(tmpdir(), 'cigale-outage-'));
const dataDir = join(folder, 'data');

async function prefill(): Promise<number> {
  const fromMs = performance.now();
  const store = await openStore({
    dataDir,
    clock: systemClock,
    log: memoryLog(),
    metrics: new Metrics(),
    random: Math.random,
  });
  await store.start();
  const firstAt = Date.now() - samples * 1000;
  await store.openStream(OUTAGE_STREAM, firstAt);
  for (let from = 0; from < samples; from += CHUNK) {
    const count = Math.min(CHUNK, samples - from);
    await store.append(sampleEntries(count, [`stream:${OUTAGE_STREAM}`], from, firstAt), 'now');
  }
  await store.stop();
  return performance.now() - fromMs;
}

const rssMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

const prefillMs = await prefill();
const broker = await startMosquitto(folder);
const line = new LineServer('127.0.0.1', 0);
await line.start();

const seen = new Set<number>();
const problems: string[] = [];
let backlogLeft = samples;
let twice = 0;
let live = 0;
let oldestLiveMs = 0;
/** The same when their batch was sealed: what broker and receiver add is the rest. */
let oldestSealedMs = 0;
let firstMs = 0;
let drainedMs = 0;
let drainedAt = Infinity;
const receiver = await receiveBatches(
  {
    brokerUrl: `mqtt://127.0.0.1:${broker.port}`,
    prefix: OUTAGE_PREFIX,
    clientId: 'oracle',
    onRecord: ({ id, place, observedAt }, { createdAt }) => {
      const number = Number(id);
      if (seen.has(number)) twice += 1;
      seen.add(number);
      firstMs ||= performance.now();
      if (place === LIVE_PLACE) {
        live += 1;
        const observedMs = Date.parse(String(observedAt));
        // One that was measured during the drain and comes behind it was held up by it.
        if (observedMs > drainedAt) return;
        oldestLiveMs = Math.max(oldestLiveMs, Date.now() - observedMs);
        oldestSealedMs = Math.max(oldestSealedMs, Date.parse(createdAt) - observedMs);
      } else if (number <= samples) {
        backlogLeft -= 1;
        if (backlogLeft > 0) return;
        drainedMs = performance.now();
        drainedAt = Date.now();
      }
    },
    onProblem: ({ kind, detail }) => void (kind === 'gap' || problems.push(`${kind}: ${detail}`)),
  },
  { clock: systemClock, log: memoryLog() },
);

const flowFile = join(folder, 'flow.json');
writeFileSync(flowFile, JSON.stringify(outageFlow({ line: line.port, mqtt: broker.port }, rate)));
const gateway = new GatewayProcess({ main: options.main, dataDir, flowFile, logFile: join(folder, 'gateway.log') });
gateway.start();
if (!(await waitFor(() => firstMs > 0, 60_000))) problems.push('nothing arrived');
let sent = 0;
const feeding = setInterval(() => line.send(`${(sent += 1)},55.5\r\n`), 1000 / LIVE_LINES_A_SECOND);
const rss: number[] = [];
const sampling = setInterval(() => {
  if (gateway.isRunning && backlogLeft > 0) rss.push(rssMiB(gateway.pid));
}, 250);
await waitFor(() => backlogLeft === 0, DEADLINE_MS);
clearInterval(sampling);
clearInterval(feeding);
const peakRssMiB = gateway.peakRssMiB;
const isComplete = (): boolean => seen.size >= gateway.acceptedThrough;
await waitFor(isComplete, 30_000);
const accepted = Math.max(samples, gateway.acceptedThrough);
await gateway.end('SIGTERM');
await receiver.stop();
await line.stop();
broker.process.kill();

const third = Math.ceil(rss.length / 3);
const [first = 0, second = 0, last = 0] = [0, 1, 2].map((part) =>
  Math.round(Math.max(0, ...rss.slice(part * third, (part + 1) * third))),
);
const lost = accepted - seen.size;
const drainSeconds = (drainedMs - firstMs) / 1000;
const hasGrown = last > Math.max(first, second) + MAX_GROWTH_MIB;
const isLate = oldestLiveMs > MAX_LIVE_AGE_MS;
if (backlogLeft > 0) problems.push(`${backlogLeft} of the backlog did not arrive`);
if (live === 0) problems.push('no live record arrived');
const isGood = lost <= 0 && twice === 0 && problems.length === 0 && !hasGrown && !isLate;
report('F17 a long outage', {
  trials: 1,
  samples,
  failures: isGood ? 0 : 1,
  lost,
  twice,
  prefillSeconds: Math.round(prefillMs / 1000),
  drainSeconds: Math.round(drainSeconds),
  recordsPerSecond: Math.round(samples / drainSeconds),
  liveRecords: live,
  oldestLiveSeconds: oldestLiveMs / 1000,
  oldestLiveWhenSealedSeconds: oldestSealedMs / 1000,
  rssMiBByThird: [first, second, last],
  peakRssMiB,
  problems: problems.slice(0, 10),
});
if (isGood) rmSync(folder, { recursive: true, force: true });
else console.log(`kept for analysis: ${folder}`);
process.exitCode = isGood ? 0 : 1;
