/**
 * The two SQLite libraries under the same gateway, in turns: `node test/bench/compare-drivers.ts`, or with the names of some of the
 * questions (work, ramp, slow-disk), `--runs N` times. Prints the tables of `docs/decisions.md`; durability is asked by the fault
 * suite (`npm run fault`, `node test/fault/suite.ts --driver NAME`).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DRIVER_NAMES } from '../../src/store/driver.ts';
import { FaultyDisk } from '../fault/faulty-disk.ts';
import { CigaleCandidate, frozenBuild } from './cigale-candidate.ts';
import { feed } from './line-source.ts';
import { median } from './process-usage.ts';
import { withCigale } from './questions.ts';
import { machine, markdown } from './report.ts';
import { pause } from './waiting.ts';
import { measureRamp, measureWork, startOnLine, withBench } from './work.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '2' }, main: { type: 'string' } },
});
const main = options.main ?? frozenBuild();
const FSYNC_MS = 100;
const LOOP_SECONDS = 10;

interface Question {
  readonly title: string;
  readonly header: readonly string[];
  readonly ask: (driver: string) => Promise<readonly number[]>;
}

const environment = (driver: string): { main: string; env: Record<string, string> } => ({
  main,
  env: { CIGALE_SQLITE_DRIVER: driver },
});

async function work(driver: string): Promise<readonly number[]> {
  const result = await withCigale('pty', environment(driver), (cigale, bench) =>
    measureWork(cigale, bench, { rate: 200, samples: 2400 }),
  );
  const { startSeconds, idle, peakRssMb, cpuPer100k, writtenPerSample, missing } = result;
  return [startSeconds, idle.rssMb, idle.anonymousMb, peakRssMb, cpuPer100k, writtenPerSample, missing];
}

async function ramp(driver: string): Promise<readonly number[]> {
  const steps = await withCigale('tcp', environment(driver), (cigale, bench) =>
    measureRamp(cigale, bench, [12_800, 25_600, 51_200], 3),
  );
  return [Math.max(0, ...steps.filter(({ isSustained }) => isSustained).map(({ rate }) => rate))];
}

/** A disk that needs `FSYNC_MS` for an fsync, as an old SD card does. */
function slowDisk(driver: string): Promise<readonly number[]> {
  return withBench('tcp', async ({ folder, place, line }) => {
    const disk = FaultyDisk.create(folder, join(folder, 'data'));
    if (disk === null) throw new Error('gcc is needed');
    disk.set(null, FSYNC_MS);
    const file = join(folder, 'event-loop.json');
    const cigale = new CigaleCandidate(place, {
      main,
      env: { ...disk.env, CIGALE_SQLITE_DRIVER: driver, EVENT_LOOP_FILE: file },
      nodeOptions: ['--import', join(import.meta.dirname, 'event-loop-probe.ts')],
    });
    try {
      const from = await startOnLine(cigale, line);
      await pause(3000);
      process.kill(cigale.pid, 'SIGUSR2');
      await pause(300);
      await feed(line, { rate: 200, count: 200 * LOOP_SECONDS, from });
      process.kill(cigale.pid, 'SIGUSR2');
      await pause(300);
      const { p50, p99, max } = JSON.parse(readFileSync(file, 'utf8')) as Record<'p50' | 'p99' | 'max', number>;
      return [p50, p99, max];
    } finally {
      await cigale.stop('SIGKILL');
    }
  });
}

const QUESTIONS: Readonly<Record<string, Question>> = {
  work: {
    title: '200 lines a second by a pty, 2,400 samples, to the acknowledged batch',
    header: [
      'start s',
      'idle RSS, MB',
      'anonymous, MB',
      'peak RSS, MB',
      'CPU s per 100,000',
      'bytes written',
      'missing',
    ],
    ask: work,
  },
  ramp: { title: 'Most lines a second over TCP that were sustained for 3 s', header: ['lines/s'], ask: ramp },
  'slow-disk': {
    title: `Event-loop delay at 200 lines a second on a disk with ${FSYNC_MS} ms for an fsync, ms`,
    header: ['median', 'p99', 'greatest'],
    ask: slowDisk,
  },
};

console.log(machine());
const asked = positionals.length === 0 ? Object.keys(QUESTIONS) : positionals;
for (const name of asked) {
  const question = QUESTIONS[name];
  if (question === undefined) throw new Error(`no question "${name}": ${Object.keys(QUESTIONS).join(', ')}`);
  const runs = new Map<string, (readonly number[])[]>(DRIVER_NAMES.map((driver) => [driver, []]));
  // In turns, so that a machine that is busier for a while is so for both.
  for (let run = 0; run < Number(options.runs); run += 1)
    for (const driver of DRIVER_NAMES) runs.get(driver)?.push(await question.ask(driver));
  const rows = [...runs].map(([driver, results]) => [
    driver,
    ...question.header.map((_, column) => median(results.map((result) => result[column] ?? Number.NaN))),
  ]);
  console.log(`\n${markdown({ title: question.title, header: ['library', ...question.header], rows })}`);
}
