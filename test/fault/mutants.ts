/**
 * Negative controls: builds in which one guard is taken out must fail the trial that looks for it:
 * `node test/fault/mutants.ts [NAME…]`. A mutant is one entry of the list.
 * Exit 1 when a mutant gets through: then the trial could not see that fault.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { report } from './command.ts';
import { wordsOf } from './suite-parts.ts';

interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Exactly one place of the built file. */
  readonly replace: string;
  readonly by: string;
  /** The trial that must see it, and its arguments. */
  readonly trial: string;
  readonly args: string | readonly string[];
}

const ROOT = join(import.meta.dirname, '../..');
/** Below `node_modules`, where a build finds its libraries. */
const MUTANTS_FOLDER = join(ROOT, 'node_modules/.cache', `cigale-mutants-${process.pid}`);
/** A trial that fails keeps its folder for analysis; of a mutant there is nothing to analyse. */
const TRIALS_FOLDER = mkdtempSync(join(tmpdir(), 'cigale-mutant-'));

const MUTANTS: readonly Mutant[] = [
  {
    name: 'deletes before PUBACK',
    file: 'src/forward/stream-sender.js',
    replace: 'const outcome = await this.#publish(delivery.batch);',
    by: 'this.#acks.record(delivery.batch.seq, clock.nowMs()); const outcome = await this.#publish(delivery.batch);',
    trial: 'kill.ts',
    args: '--trials 30 --seed 3 --cut-chance 0.08 --drain-seconds 20 --quiet',
  },
  {
    name: 'commits without waiting for the disk (synchronous=NORMAL)',
    file: 'src/store/pragmas.js',
    replace: 'PRAGMA synchronous = FULL',
    by: 'PRAGMA synchronous = NORMAL',
    trial: 'crash-states.ts',
    args: '--states 100 --seed 3 --gateway',
  },
  {
    name: 'does not check the checksum of a block',
    file: 'src/store/block-codec.js',
    replace: 'checksum(block) === block.crc',
    by: 'true',
    trial: 'corruption.ts',
    args: ['--trials', '8', '--seed', '3', '--damage', 'db: one bit of a block'],
  },
  {
    name: 'has no live lane',
    file: 'src/forward/sealer.js',
    replace: 'if (this.#isLiveDue())',
    by: 'if (this.#isLiveDue() && !this.hasBacklog)',
    trial: 'outage.ts',
    args: ['--samples', '40000', '--rate', '3000'],
  },
  {
    name: 'sets no record aside that is refused alone',
    file: 'src/forward/refusal.js',
    replace: "certain >= PARK_AFTER_CERTAIN && acknowledged > 0 ? 'park' : 'keep'",
    by: "'keep'",
    trial: 'refusals.ts',
    args: ['--trials', '1', '--seed', '3', '--only', 'PUBACK 0x99, one record', '--quiet'],
  },
  {
    name: 'does not watch for steps of the clock',
    file: 'src/runtime/timeline.js',
    replace: 'const isStep = Math.abs(byMs) >= STEP_MS;',
    by: 'const isStep = false;',
    trial: 'clock.ts',
    args: ['--trials', '5', '--seed', '3', '--quiet'],
  },
  {
    name: 'sends what it takes in before the clock is set',
    file: 'src/wiring/clock-state.js',
    replace: 'settling?.fromId ?? held?.fromId ?? Number.POSITIVE_INFINITY',
    by: 'Number.POSITIVE_INFINITY',
    trial: 'clock.ts',
    args: ['--trials', '1', '--seed', '3', '--quiet'],
  },
];

function build(mutant: Mutant): string {
  const folder = join(MUTANTS_FOLDER, mutant.name.replaceAll(/\W+/g, '-'));
  mkdirSync(folder, { recursive: true });
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  const file = join(folder, 'dist', mutant.file);
  const source = readFileSync(file, 'utf8');
  if (source.split(mutant.replace).length !== 2) throw new Error(`mutant "${mutant.name}" does not fit ${mutant.file}`);
  writeFileSync(file, source.replace(mutant.replace, mutant.by));
  return join(folder, 'dist/src/main.js');
}

const asked = process.argv.slice(2);
const chosen = MUTANTS.filter(({ name }) => asked.length === 0 || asked.includes(name));
const survivors: string[] = [];
for (const mutant of chosen) {
  const own = typeof mutant.args === 'string' ? wordsOf(mutant.args) : mutant.args;
  const args = [join('test/fault', mutant.trial), '--main', build(mutant), ...own];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: TRIALS_FOLDER },
  });
  // A trial that could not run proves nothing.
  const isCaught = status === 1 && stdout.includes('"fault":');
  console.log(`${isCaught ? 'caught ' : 'SURVIVED'}  ${mutant.name}`);
  if (!isCaught) {
    survivors.push(mutant.name);
    console.log(stdout, stderr);
  }
}
for (const folder of [MUTANTS_FOLDER, TRIALS_FOLDER]) rmSync(folder, { recursive: true, force: true });
report('F28 mutants', { trials: chosen.length, seed: 3, failures: survivors.length, survivors });
process.exitCode = survivors.length === 0 && chosen.length > 0 ? 0 : 1;
