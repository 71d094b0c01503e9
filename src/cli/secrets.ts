import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { say } from '../runtime/language.ts';
import { dataDirOf, type Arguments } from './arguments.ts';
import { withClient, type Client } from './client.ts';
import { wrongUse } from './command-error.ts';
import type { Command } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { both, type Io } from './io.ts';
import { runVerb, type Verbs } from './verbs.ts';

/** A line typed at the terminal without showing it; empty when it was ended without one. */
async function hiddenLine(prompt: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  let value = '';
  lines.once('line', (line) => {
    value = line;
    lines.close();
  });
  lines.once('SIGINT', () => lines.close());
  // Only now: what is typed before the terminal stops showing it would be seen.
  process.stderr.write(prompt);
  await once(lines, 'close');
  process.stderr.write('\n');
  return value;
}

async function secretFrom(io: Io): Promise<string> {
  const value = process.stdin.isTTY
    ? await hiddenLine(say(both('value (not shown): ', 'valeur (non affichée) : '), io.language))
    : (await readAll(process.stdin)).replace(/\r?\n$/, '');
  if (value === '') throw wrongUse('the value is empty', 'la valeur est vide');
  return value;
}

/** A secret may be set before its flow is loaded: a node that is not there yet is a warning. */
async function warnIfUnknown(client: Client, node: string, io: Io): Promise<void> {
  const { flow } = (await client.json('GET', '/v1/flow')) as { readonly flow: readonly { readonly id?: unknown }[] };
  if (flow.some(({ id }) => id === node)) return;
  const text = both(
    `kept, but the newest flow has no node ${node}`,
    `conservé, mais le dernier flux n'a pas de nœud ${node}`,
  );
  io.err(say(text, io.language));
}

async function set({ values, positionals: [node = '', field = ''] }: Arguments, io: Io): Promise<number> {
  const value = await secretFrom(io);
  await withClient(dataDirOf(values), 'create', async (client) => {
    await client.json('POST', '/v1/flow/secret', { node, field, value });
    await warnIfUnknown(client, node, io);
  });
  return EXIT.done;
}

const VERBS: Verbs = { set: { words: ['NODE', 'FIELD'], run: set } };

export const command: Command = {
  usage: both(
    'usage: cigale secrets set NODE FIELD  [--data DIR]   (the value is read from standard input)',
    'usage : cigale secrets set NŒUD CHAMP  [--data DOSSIER]   (la valeur est lue sur l’entrée standard)',
  ),
  run: (args, io) => runVerb(VERBS, args, io),
};
