import { median } from './process-usage.ts';
import { withCigale, type Question } from './questions.ts';
import { startOnLine } from './work.ts';

const ROUNDS = 5;

/** From the start of the process until the first sample of a line that already talks is on disk. */
export const startTime: Question = async (main) => {
  const fresh: number[] = [];
  const again: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await withCigale('pty', { main }, async (cigale, { line }) => {
      await startOnLine(cigale, line);
      fresh.push(cigale.firstAcceptedMs / 1000);
      await cigale.stop('SIGKILL');
      await startOnLine(cigale, line);
      again.push(cigale.firstAcceptedMs / 1000);
    });
  }
  return {
    title: `Start to first accepted sample (\`--editor off\`), ${ROUNDS} rounds`,
    header: ['start', 'median s', 'worst s'],
    rows: [
      ['with a new store and flow', median(fresh), Math.max(...fresh)],
      ['again, after kill -9', median(again), Math.max(...again)],
    ],
  };
};
