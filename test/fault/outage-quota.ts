/**
 * A long outage under a small quota: one noise meter at 1 Hz and 20 sensors every ten minutes, through the real store, windows and
 * stream, with a clock that jumps; then the broker comes back. Each hour's LAeq is recomputed from what was received.
 * Run: `node test/fault/outage-quota.ts [--days 90] [--quota-mb 64] [--seed 1] [--commit-seconds 60] [--restart-every 0]`.
 */
import { parseArgs } from 'node:util';
import { report } from './command.ts';
import { runOutage } from './long-outage.ts';

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '90' },
    'quota-mb': { type: 'string', default: '64' },
    seed: { type: 'string', default: '1' },
    'commit-seconds': { type: 'string', default: '60' },
    'restart-every': { type: 'string', default: '0' },
  },
});
const seed = Number(values.seed);
const startedMs = performance.now();
const result = await runOutage(
  {
    days: Number(values.days),
    quotaMb: Number(values['quota-mb']),
    seed,
    commitSeconds: Number(values['commit-seconds']),
    restartEvery: Number(values['restart-every']),
  },
  (text) => console.error(`${Math.round((performance.now() - startedMs) / 1000)} s: ${text}`),
);
const { failures, ...facts } = result;
const quotaMb = Number(values['quota-mb']);
report('F17, a long outage under a quota', {
  trials: 1,
  quotaMb,
  ...facts,
  seed,
  failures: failures.length,
  details: failures,
});
process.exitCode = failures.length === 0 ? 0 : 1;
