/** Cigale alone: `npm run bench`, or `npm run bench -- memory drivers` for some of the questions. */
import { parseArgs } from 'node:util';
import { frozenBuild } from './cigale-candidate.ts';
import { costPerSample } from './cost-per-sample.ts';
import { drivers } from './drivers.ts';
import { eventLoop } from './event-loop.ts';
import { memory } from './memory.ts';
import type { Question } from './questions.ts';
import { markdown, publish, type Table } from './report.ts';
import { startTime } from './start-time.ts';

const QUESTIONS: Readonly<Record<string, Question>> = {
  start: startTime,
  memory,
  cost: costPerSample,
  drivers,
  eventLoop,
};

const { values: options, positionals } = parseArgs({ allowPositionals: true, options: { main: { type: 'string' } } });
const main = options.main ?? frozenBuild();
const asked = positionals.length === 0 ? Object.keys(QUESTIONS) : positionals;
const tables: Table[] = [];
for (const name of asked) {
  const question = QUESTIONS[name];
  if (question === undefined) throw new Error(`no question "${name}": ${Object.keys(QUESTIONS).join(', ')}`);
  const table = await question(main);
  console.error(`${markdown(table)}\n`);
  tables.push(table);
}
// A part of the questions is for whoever asks; the document holds all of them, of one run.
if (positionals.length === 0) publish('bench', 'npm run bench', tables);
