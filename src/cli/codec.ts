import { checkCodec } from '../decode/codec/check-codec.ts';
import { testCodec } from '../decode/codec/test-codec.ts';
import { dataDirOf, flag, text, wholeNumber, type Arguments } from './arguments.ts';
import { withClient } from './client.ts';
import { wrongUse } from './command-error.ts';
import type { Command } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { readBytes, readText } from './files.ts';
import { both, table, type Io } from './io.ts';
import { runVerb, type Verbs } from './verbs.ts';

async function add({ values, positionals: [model = '', file = ''] }: Arguments): Promise<number> {
  const script = await readBytes(file);
  await withClient(dataDirOf(values), 'create', (client) =>
    client.text('PUT', `/v1/codecs/${encodeURIComponent(model)}`, script, 'application/javascript'),
  );
  return EXIT.done;
}

/** Runs the script in the sandbox on one payload and prints what comes out, with the script's faults if there are any. */
async function test({ values, positionals: [file = ''] }: Arguments, io: Io): Promise<number> {
  const fPort = wholeNumber(values, 'port', 1, [0, 255]);
  const hex = (text(values, 'hex') ?? '').replaceAll(/[\s:]/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(hex))
    throw wrongUse('--hex takes pairs of hex digits', '--hex prend des paires de chiffres hexadécimaux');
  const script = await readText(file);
  await checkCodec(script);
  const result = await testCodec(script, { bytes: Buffer.from(hex, 'hex'), fPort });
  io.out(JSON.stringify(result, null, 2));
  return result.ok ? EXIT.done : EXIT.badData;
}

async function list({ values }: Arguments, io: Io): Promise<number> {
  const rows = (await withClient(dataDirOf(values), 'store', (client) => client.json('GET', '/v1/codecs'))) as {
    name: string;
    bytes: number;
    addedAt: string;
  }[];
  if (flag(values, 'json')) io.out(JSON.stringify(rows));
  else for (const line of table(rows.map((row) => [row.name, `${row.bytes} B`, row.addedAt]))) io.out(line);
  return EXIT.done;
}

const VERBS: Verbs = {
  add: { words: ['MODEL', 'FILE.js'], run: add },
  test: { words: ['FILE.js'], options: { hex: 'string', port: 'string' }, run: test },
  list: { words: [], run: list },
};

export const command: Command = {
  usage: both(
    'usage: cigale codec add MODEL FILE.js | test FILE.js [--hex BYTES] [--port N] | list  [--data DIR] [--json]',
    'usage : cigale codec add MODÈLE FICHIER.js | test FICHIER.js [--hex OCTETS] [--port N] | list  [--data DOSSIER] [--json]',
  ),
  run: (args, io) => runVerb(VERBS, args, io),
};
