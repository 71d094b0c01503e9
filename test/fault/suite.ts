/**
 * The fault suite: `node test/fault/suite.ts` is the short one, which needs no root; `--full` runs every part in the length of the
 * release. `--only SCRIPT` (again and again) chooses parts, `--jobs N` how many run beside each other, `--driver NAME` the SQL library
 * of all of them. Ends with the table fault | trials | failures and exit code 1 when anything failed.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SUITE_PARTS, wordsOf } from './suite-parts.ts';
import { type PartRun, type SuiteRow, hasFailed, resultTable, rowsOf } from './suite-result.ts';

const { values: options } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    jobs: { type: 'string' },
    driver: { type: 'string' },
  },
});
const ROOT = join(import.meta.dirname, '../..');
/** A part of the short suite that takes longer hangs. */
const SHORT_DEADLINE_MS = 480_000;
/** The trials of the short suite wait most of their time; the long ones are left alone, so that their times mean something. */
const jobs = Number(options.jobs ?? (options.full ? 1 : 2));
const isRoot = process.getuid?.() === 0;

function run(script: string, args: readonly string[]): Promise<PartRun> {
  const startedMs = performance.now();
  const deadline = options.full ? {} : { timeout: SHORT_DEADLINE_MS, killSignal: 'SIGKILL' as const };
  const child = spawn(process.execPath, [join('test/fault', script), ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(options.driver === undefined ? {} : { CIGALE_SQLITE_DRIVER: options.driver }) },
    ...deadline,
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    child.on('close', (exitCode) => {
      const command = ['node', join('test/fault', script), ...args].join(' ');
      const seconds = (performance.now() - startedMs) / 1000;
      resolve({ command, exitCode, output: Buffer.concat(chunks).toString('utf8'), seconds });
    });
  });
}

function print(part: PartRun, rows: readonly SuiteRow[]): void {
  for (const row of rows) {
    const verdict = row.trials === null && !hasFailed(row) ? 'skipped' : hasFailed(row) ? 'FAILED' : 'ok';
    console.log(
      `${verdict.padEnd(7)} ${row.fault}: ${row.trials ?? 0} trials, seed ${row.seed}, ${Math.round(row.seconds)} s`,
    );
  }
  if (rows.some(hasFailed)) console.log(`\n== ${part.command}\n${part.output}`);
}

const isChosen = (script: string): boolean => options.only.length === 0 || options.only.includes(script);
const waiting = SUITE_PARTS.filter(({ script }) => isChosen(script)).flatMap(({ script, short, full, needsRoot }) => {
  const text = options.full ? full : short;
  if (text === null) return [];
  if (needsRoot !== true || isRoot) return [{ script, args: wordsOf(text) }];
  console.log(`skipped ${script}: needs root`);
  return [];
});
const table: SuiteRow[] = [];

async function runNext(): Promise<void> {
  for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
    const done = await run(part.script, part.args);
    const rows = rowsOf(done);
    print(done, rows);
    table.push(...rows);
  }
}

const startedMs = performance.now();
await Promise.all(Array.from({ length: jobs }, runNext));
const byFault = (a: SuiteRow, b: SuiteRow): number => a.fault.localeCompare(b.fault, 'en', { numeric: true });
console.log(`\n${resultTable(table.toSorted(byFault))}\n`);
const failed = table.filter(hasFailed).length;
console.log(`${table.length} results, ${failed} failed, ${Math.round((performance.now() - startedMs) / 1000)} s`);
process.exitCode = failed === 0 && table.length > 0 ? 0 : 1;
