/**
 * Negative controls: builds in which one guard is taken out must fail the trial that looks for it:
 * `node test/fault/mutants.ts [NAME…]`.
 * Exit 1 when a mutant gets through: then the trial could not see that fault.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Exactly one place of the built file. */
  readonly replace: string;
  readonly by: string;
  /** The trial that must see it, and its arguments. */
  readonly trial: string;
  readonly args: readonly string[];
}

const ROOT = join(import.meta.dirname, '../..');

const MUTANTS: readonly Mutant[] = [
  {
    name: 'deletes before PUBACK',
    file: 'src/forward/stream-sender.js',
    replace: 'const outcome = await this.#publish(delivery.batch);',
    by: 'this.#acks.record(delivery.batch.seq, clock.nowMs()); const outcome = await this.#publish(delivery.batch);',
    trial: 'kill.ts',
    args: ['--trials', '40', '--seed', '3', '--cut-chance', '0.08', '--quiet'],
  },
  {
    name: 'commits without waiting for the disk (synchronous=NORMAL)',
    file: 'src/store/pragmas.js',
    replace: 'PRAGMA synchronous = FULL',
    by: 'PRAGMA synchronous = NORMAL',
    trial: 'crash-states.ts',
    args: ['--states', '100', '--seed', '3', '--gateway'],
  },
  {
    name: 'does not check the checksum of a block',
    file: 'src/store/block-codec.js',
    replace: 'checksum(block) === block.crc',
    by: 'true',
    trial: 'corruption.ts',
    args: ['--trials', '20', '--seed', '3', '--damage', 'db: one bit of a block'],
  },
];

function build(mutant: Mutant): string {
  const folder = join(ROOT, 'node_modules/.cache/cigale-mutants', mutant.name.replaceAll(/\W+/g, '-'));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  const file = join(folder, 'dist', mutant.file);
  const source = readFileSync(file, 'utf8');
  if (source.split(mutant.replace).length !== 2) throw new Error(`mutant "${mutant.name}" does not fit ${mutant.file}`);
  writeFileSync(file, source.replace(mutant.replace, mutant.by));
  return join(folder, 'dist/src/main.js');
}

const wanted = process.argv.slice(2);
let survived = 0;
for (const mutant of MUTANTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const args = [join('test/fault', mutant.trial), '--main', build(mutant), ...mutant.args];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  // A trial that could not run proves nothing.
  const isCaught = status === 1 && stdout.includes('"fault":');
  console.log(`${isCaught ? 'caught ' : 'SURVIVED'}  ${mutant.name}`);
  if (!isCaught) {
    survived += 1;
    console.log(stdout, stderr);
  }
}
process.exitCode = survived === 0 ? 0 : 1;
