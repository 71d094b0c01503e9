/**
 * F19: a raw broker answers with each refusal of the table in turn: `node test/fault/refusals.ts --trials 20 --seed 7`, each
 * case so often; `--only TEXT` takes those whose name holds it. Time runs 30 times as fast. Exit 1 when something was lost
 * or came in two batches, publishes or connections ran hot, another stream was held up, or nothing flowed a minute after the cure.
 */
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/sources/simulate/random.ts';
import { BUILT_MAIN, report } from './command.ts';
import { REFUSAL_CASES } from './refusal-cases.ts';
import { RefusalTrial, type TrialResult } from './refusal-trial.ts';

const { values: options } = parseArgs({
  options: {
    trials: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    main: { type: 'string', default: BUILT_MAIN },
    only: { type: 'string', default: '' },
    /** Trials beside each other: they wait most of their time. */
    jobs: { type: 'string', default: '4' },
    quiet: { type: 'boolean', default: false },
  },
});

const seed = Number(options.seed);
const cases = REFUSAL_CASES.filter(({ name }) => name.includes(options.only));
const waiting = Array.from({ length: Number(options.trials) }, () => cases).flat();
const results: TrialResult[] = [];

/** Each trial has a seed of its own, so that it does not matter which run beside it. */
async function runNext(): Promise<void> {
  for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
    const random = seededRandom(seed + waiting.length);
    const result = await new RefusalTrial(one, { main: options.main, random }).run();
    results.push(result);
    if (!options.quiet)
      console.log(`${one.name}: ${result.problems.join('; ') || 'ok'} (${result.recoverySeconds.toFixed(0)} s)`);
  }
}

await Promise.all(Array.from({ length: Number(options.jobs) }, runNext));
const failures = results.filter(({ problems }) => problems.length > 0);
report('F19 the broker refuses', {
  seed,
  cases: cases.length,
  trials: results.length,
  failures: failures.length,
  slowestRecoverySeconds: Math.round(Math.max(...results.map(({ recoverySeconds }) => recoverySeconds))),
  mostPublishesAMinute: Math.round(Math.max(...results.map(({ publishesAMinute }) => publishesAMinute))),
  problems: failures.slice(0, 10).map(({ name, problems }) => `${name}: ${problems.join('; ')}`),
});
process.exitCode = failures.length === 0 && results.length > 0 ? 0 : 1;
