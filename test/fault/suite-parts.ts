/** A trial file and how long it runs in each of the two suites. */
export interface SuitePart {
  readonly script: string;
  /** Arguments in `npm run fault`; null: not part of it. */
  readonly short: string | null;
  /** Arguments in `npm run torture`. */
  readonly full: string;
  /** Without root the part is skipped, and the suite says so. */
  readonly needsRoot?: true;
}

/**
 * The parts of the suite. Those of the short suite that take longest stand first, so that the last to end is a short one. Each
 * has its own seed: what failed is run again by its line.
 */
export const SUITE_PARTS: readonly SuitePart[] = [
  { script: 'mutants.ts', short: '', full: '' },
  { script: 'kill.ts', short: '--trials 40 --seed 11', full: '--trials 1000 --seed 21' },
  { script: 'kill-at-sync.ts', short: '--trials 18 --seed 12', full: '--trials 300 --seed 22' },
  { script: 'refusals.ts', short: '--trials 1 --seed 41 --quiet', full: '--trials 20 --seed 51 --quiet' },
  { script: 'chaos-kill.ts', short: '--trials 24 --seed 13', full: '--trials 500 --seed 23' },
  { script: 'disk-faults.ts', short: '--trials 14 --seed 14', full: '--trials 50 --seed 24' },
  { script: 'limits.ts', short: '--trials 10 --seed 15', full: '--trials 40 --seed 25' },
  { script: 'kill-at-work.ts', short: '--trials 15 --seed 16', full: '--trials 100 --seed 26' },
  { script: 'corruption.ts', short: '--trials 14 --seed 17', full: '--trials 600 --seed 27' },
  { script: 'crash-states.ts', short: '--states 600 --seed 18', full: '--states 10000 --seed 28' },
  {
    script: 'kill.ts',
    short: '--trials 12 --seed 19 --driver node:sqlite',
    full: '--trials 300 --seed 29 --driver node:sqlite',
  },
  { script: 'outage.ts', short: '--samples 150000', full: '--samples 2592000' },
  {
    script: 'outage-quota.ts',
    short: '--days 1.5 --quota-mb 0.375 --commit-seconds 120 --seed 45',
    full: '--days 90 --quota-mb 64 --seed 55',
  },
  { script: 'link-faults.ts', short: '--trials 12 --seed 42', full: '--trials 120 --seed 52' },
  { script: 'broker-crash.ts', short: '--trials 3 --seed 43', full: '--trials 50 --seed 53' },
  { script: 'slow-disk.ts', short: '--seconds 15 --seed 44', full: '--seconds 60 --seed 54' },
  { script: 'clock.ts', short: '--trials 9 --seed 20', full: '--trials 45 --seed 32' },
  { script: 'power-cut.ts', short: null, full: '--trials 200 --seed 30', needsRoot: true },
  { script: 'volume-faults.ts', short: null, full: '--trials 45 --seed 31', needsRoot: true },
];

/** Words of an argument text; no argument of a trial holds a blank. */
export const wordsOf = (text: string): readonly string[] => text.split(' ').filter((word) => word !== '');
