/**
 * Cigale beside what a city would take instead, on the same work in one run: `npm run bench:peers`.
 * Rounds are interleaved, so that what the machine does otherwise hits both.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Candidate, Place } from './candidate.ts';
import { CigaleCandidate, frozenBuild } from './cigale-candidate.ts';
import { installNodeRed, NodeRedCandidate } from './node-red-candidate.ts';
import { median } from './process-usage.ts';
import { publish, type Table } from './report.ts';
import {
  measureOutage,
  measureRamp,
  measureWork,
  withBench,
  type Bench,
  type OutageResult,
  type RampStep,
  type WorkResult,
} from './work.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    samples: { type: 'string', default: '3000' },
    main: { type: 'string' },
  },
});
const RATES = [400, 1600, 6400, 12_800, 25_600];
const RAMP_SECONDS = 4;
const WORK = { rate: 200, samples: Number(options.samples) };
const OUTAGE = { rate: 400, samples: 9000 };

const red = installNodeRed();
const main = options.main === undefined ? frozenBuild() : join(options.main);
const CANDIDATES: readonly ((place: Place) => Candidate)[] = [
  (place) => new CigaleCandidate(place, { main }),
  (place) => new NodeRedCandidate(place, red),
];

const run = <Result>(
  make: (place: Place) => Candidate,
  kind: 'pty' | 'tcp',
  measure: (candidate: Candidate, bench: Bench) => Promise<Result>,
): Promise<{ name: string; result: Result }> =>
  withBench(kind, async (bench) => {
    const candidate = make(bench.place);
    try {
      return { name: candidate.name, result: await measure(candidate, bench) };
    } finally {
      await candidate.stop('SIGTERM');
    }
  });

const works = new Map<string, WorkResult[]>();
for (let round = 1; round <= Number(options.rounds); round += 1) {
  for (const make of CANDIDATES) {
    const { name, result } = await run(make, 'pty', (candidate, bench) => measureWork(candidate, bench, WORK));
    works.set(name, [...(works.get(name) ?? []), result]);
    console.error(
      `round ${round}, ${name}: start ${result.startSeconds.toFixed(2)} s, CPU ${result.cpuPer100k.toFixed(1)} s`,
    );
  }
}

const best = (steps: readonly RampStep[]): number =>
  Math.max(0, ...steps.filter((step) => step.isSustained).map((step) => step.rate));
const ramps = new Map<string, number>();
const outages = new Map<string, OutageResult>();
for (const make of CANDIDATES) {
  const ramp = await run(make, 'pty', (candidate, bench) => measureRamp(candidate, bench, RATES, RAMP_SECONDS));
  console.error(`ramp, ${ramp.name}: ${JSON.stringify(ramp.result)}`);
  ramps.set(ramp.name, best(ramp.result));
  const outage = await run(make, 'pty', (candidate, bench) => measureOutage(candidate, bench, OUTAGE));
  console.error(`outage, ${outage.name}: ${JSON.stringify(outage.result)}`);
  outages.set(outage.name, outage.result);
}
const overTcp = await run(CANDIDATES[0]!, 'tcp', (candidate, bench) =>
  measureRamp(candidate, bench, RATES, RAMP_SECONDS),
);

const TARGETS: readonly [string, (name: string) => number | string, string][] = [
  ['start to first accepted sample, s', (name) => of(name, (work) => work.startSeconds), '≤ 0.6'],
  ['idle RSS, MB', (name) => of(name, (work) => work.idle.rssMb), '≤ 70'],
  ['idle PSS, MB', (name) => of(name, (work) => work.idle.pssMb), '≤ 42'],
  ['idle memory of its own (anonymous), MB', (name) => of(name, (work) => work.idle.anonymousMb), ''],
  ['peak RSS, MB', (name) => of(name, (work) => work.peakRssMb), ''],
  ['CPU s per 100,000 samples', (name) => of(name, (work) => work.cpuPer100k), '≤ 22'],
  ['bytes written per sample', (name) => of(name, (work) => work.writtenPerSample), '≤ 120'],
  ['bytes given to write(2) per sample', (name) => of(name, (work) => work.writeCallsPerSample), ''],
  ['bytes to the broker per sample', (name) => of(name, (work) => work.wirePerSample), ''],
  ['samples missing', (name) => of(name, (work) => work.missing), '0'],
  ['most lines/s sustained, pty', (name) => ramps.get(name) ?? Number.NaN, '≥ 12,800'],
  ['most lines/s sustained, TCP', (name) => (name === overTcp.name ? best(overTcp.result) : '–'), '≥ 12,800'],
  [
    'delivered after outage and kill -9',
    (name) => `${outages.get(name)?.delivered} of ${outages.get(name)?.sent}`,
    'all',
  ],
];

function of(name: string, read: (work: WorkResult) => number): number {
  return median((works.get(name) ?? []).map(read));
}

const names = [...works.keys()];
const table: Table = {
  title: `${WORK.samples} lines at ${WORK.rate} a second from a pty, medians of ${options.rounds} interleaved runs`,
  header: ['', ...names, 'target'],
  rows: TARGETS.map(([label, value, target]) => [label, ...names.map(value), target]),
};
publish('peers', 'npm run bench:peers', [table]);
