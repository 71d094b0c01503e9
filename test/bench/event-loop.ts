import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { feed } from './line-source.ts';
import { withCigale, type Question } from './questions.ts';
import { pause } from './waiting.ts';
import { startOnLine } from './work.ts';

interface Delay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const SECONDS = 10;

/** How long the main thread is held up while samples are committed, sealed and sent. */
export const eventLoop: Question = async (main) => {
  const probe = join(import.meta.dirname, 'event-loop-probe.ts');
  const file = join(import.meta.dirname, '../../node_modules/.cache', `event-loop-${process.pid}.json`);
  const options = { main, nodeOptions: ['--import', probe], env: { EVENT_LOOP_FILE: file } };
  const rows = await withCigale('tcp', options, async (cigale, { line }) => {
    let from = await startOnLine(cigale, line);
    const measured: (string | number)[][] = [];
    for (const rate of [200, 2000, 12_800]) {
      await pause(3000);
      process.kill(cigale.pid, 'SIGUSR2');
      await pause(500);
      from += (await feed(line, { rate, count: rate * SECONDS, from })).lines;
      process.kill(cigale.pid, 'SIGUSR2');
      await pause(500);
      const { p50, p99, max } = JSON.parse(readFileSync(file, 'utf8')) as Delay;
      measured.push([`${rate}/s`, p50, p99, max]);
    }
    return measured;
  });
  rmSync(file, { force: true });
  return { title: 'Event-loop delay while committing, ms', header: ['rate', 'median', 'p99', 'greatest'], rows };
};
