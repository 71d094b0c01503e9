import { say } from '../runtime/language.ts';
import { dataDirOf, flag, type Arguments } from './arguments.ts';
import { withClient } from './client.ts';
import type { Command } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { both, table, type Io } from './io.ts';
import { runVerb, type Verbs } from './verbs.ts';

interface StreamRow {
  readonly stream: string;
  readonly lastSeq: number;
  readonly unacknowledgedBatches: number;
  readonly keptFrom: number;
  readonly parkedRecords: number;
  readonly orphan: boolean;
}

async function list({ values }: Arguments, io: Io): Promise<number> {
  const rows = (await withClient(dataDirOf(values), 'store', (client) =>
    client.json('GET', '/v1/streams'),
  )) as StreamRow[];
  if (flag(values, 'json')) {
    io.out(JSON.stringify(rows));
    return EXIT.done;
  }
  const orphan = say(both('orphan: no flow names it', 'orpheline : aucun flux ne la nomme'), io.language);
  const lines = rows.map((row) => [
    row.stream,
    `seq ${row.lastSeq}`,
    `${row.unacknowledgedBatches} ${say(both('unacknowledged', 'non acquittés'), io.language)}`,
    row.parkedRecords === 0 ? '' : `${row.parkedRecords} ${say(both('set aside', 'mis de côté'), io.language)}`,
    row.orphan ? orphan : '',
  ]);
  for (const line of table(lines)) io.out(line);
  return EXIT.done;
}

async function drop({ values, positionals: [stream = ''] }: Arguments): Promise<number> {
  await withClient(dataDirOf(values), 'store', (client) =>
    client.text('DELETE', `/v1/streams/${encodeURIComponent(stream)}`),
  );
  return EXIT.done;
}

const VERBS: Verbs = { list: { words: [], run: list }, drop: { words: ['STREAM'], run: drop } };

export const command: Command = {
  usage: both(
    'usage: cigale stream list | drop STREAM  [--data DIR] [--json]',
    'usage : cigale stream list | drop FLUX  [--data DOSSIER] [--json]',
  ),
  run: (args, io) => runVerb(VERBS, args, io),
};
