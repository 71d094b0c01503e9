import { CigaleCandidate, type CigaleOptions } from './cigale-candidate.ts';
import type { Table } from './report.ts';
import { withBench, type Bench } from './work.ts';

/** One question of `npm run bench`, answered by a table; `main` is the built program. */
export type Question = (main: string) => Promise<Table>;

/** Runs Cigale once with those options. */
export const withCigale = <Result>(
  kind: 'pty' | 'tcp',
  options: CigaleOptions,
  measure: (candidate: CigaleCandidate, bench: Bench) => Promise<Result>,
): Promise<Result> =>
  withBench(kind, async (bench) => {
    const candidate = new CigaleCandidate(bench.place, options);
    try {
      return await measure(candidate, bench);
    } finally {
      await candidate.stop('SIGTERM');
    }
  });
