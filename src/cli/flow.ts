import { compileFlow } from '../flow/compile.ts';
import { describeFault } from '../flow/describe.ts';
import { parseFlow, type ParsedFlow } from '../flow/read-flow.ts';
import type { FlowFault } from '../model/fault.ts';
import type { Text } from '../model/text.ts';
import { GatewayError } from '../runtime/errors.ts';
import { say } from '../runtime/language.ts';
import { dataDirOf, flag, type Arguments } from './arguments.ts';
import { withClient } from './client.ts';
import { wrongUse } from './command-error.ts';
import type { Command } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { readText } from './files.ts';
import { both, table, type Io } from './io.ts';
import { runVerb, type Verbs } from './verbs.ts';

interface VersionRow {
  readonly version: number;
  readonly createdAt: string;
  readonly author: string;
  readonly checksum: string;
}

/** A flow file's text as JSON, or the fault that says where it is not JSON. */
const readFlowFile = async (file: string): Promise<ParsedFlow> => parseFlow(await readText(file));

/** Prints every fault. */
function printFaults(faults: readonly FlowFault[], asJson: boolean, io: Io): void {
  if (asJson) io.out(JSON.stringify({ faults }));
  else for (const fault of faults) io.out(describeFault(fault, io.language));
}

/** Faults that the gateway sent back with a refusal, or none. */
const faultsOf = (error: unknown): readonly FlowFault[] =>
  error instanceof GatewayError && error.code === 'FLOW_INVALID' && Array.isArray(error.cause)
    ? (error.cause as FlowFault[])
    : [];

async function check({ values, positionals: [file = ''] }: Arguments, io: Io): Promise<number> {
  const parsed = await readFlowFile(file);
  if (parsed.fault !== null) {
    printFaults([parsed.fault], flag(values, 'json'), io);
    return EXIT.badFlow;
  }
  const { faults, notices } = compileFlow(parsed.flow, { env: process.env });
  if (flag(values, 'json')) io.out(JSON.stringify({ faults, notices }));
  else for (const item of [...faults, ...notices]) io.out(describeFault(item, io.language));
  if (faults.length > 0) return EXIT.badFlow;
  if (!flag(values, 'json')) io.out(say(both('the flow is valid', 'le flux est valide'), io.language));
  return EXIT.done;
}

async function load({ values, positionals: [file = ''] }: Arguments, io: Io): Promise<number> {
  const { flow, fault } = await readFlowFile(file);
  if (fault !== null) {
    printFaults([fault], flag(values, 'json'), io);
    return EXIT.badFlow;
  }
  return deploy('PUT', '/v1/flow', { flow, author: author() }, EXIT.badFlow, values, io);
}

/** Asks for a deploy and says what became of it; `refused` is the exit code where the flow has faults. */
async function deploy(
  method: string,
  path: string,
  body: object,
  refused: number,
  values: Arguments['values'],
  io: Io,
): Promise<number> {
  const asJson = flag(values, 'json');
  try {
    const isLive = await withClient(dataDirOf(values), 'create', async (client) => {
      const answer = (await client.json(method, path, body)) as { readonly version: number };
      if (asJson) io.out(JSON.stringify(answer));
      else io.out(say(deployedText(answer.version, client.isLive), io.language));
      return client.isLive;
    });
    if (!isLive && !asJson) io.err(say(NOT_RUNNING, io.language));
    return EXIT.done;
  } catch (error) {
    const faults = faultsOf(error);
    if (faults.length === 0) throw error;
    printFaults(faults, asJson, io);
    if (!asJson) io.err(say(both('nothing was changed', "rien n'a été changé"), io.language));
    return refused;
  }
}

const deployedText = (version: number, isLive: boolean): Text =>
  isLive
    ? both(`version ${version} runs`, `la version ${version} tourne`)
    : both(`version ${version} is stored`, `la version ${version} est enregistrée`);
const NOT_RUNNING = both(
  'no gateway runs here: it will run this version when it starts',
  'aucune passerelle ne tourne ici : elle prendra cette version à son démarrage',
);

const author = (): string => process.env['SUDO_USER'] ?? process.env['USER'] ?? 'cli';

async function show({ values }: Arguments, io: Io): Promise<number> {
  const current = (await withClient(dataDirOf(values), 'store', (client) => client.json('GET', '/v1/flow'))) as {
    flow: unknown;
  };
  io.out(JSON.stringify(current.flow, null, 2));
  return EXIT.done;
}

async function history({ values }: Arguments, io: Io): Promise<number> {
  const rows = (await withClient(dataDirOf(values), 'store', (client) =>
    client.json('GET', '/v1/flow/versions'),
  )) as VersionRow[];
  if (flag(values, 'json')) io.out(JSON.stringify(rows));
  else
    for (const line of table(
      rows.map((row) => [String(row.version), row.createdAt, row.author, row.checksum.slice(0, 12)]),
    ))
      io.out(line);
  return EXIT.done;
}

function rollback({ values, positionals: [given = ''] }: Arguments, io: Io): Promise<number> {
  const version = Number(given);
  if (!Number.isInteger(version) || version < 1)
    throw wrongUse(`N is the number of a version, not "${given}"`, `N est le numéro d'une version, pas « ${given} »`);
  return deploy('POST', '/v1/flow/rollback', { version, author: author() }, EXIT.badData, values, io);
}

const VERBS: Verbs = {
  check: { words: ['FILE'], run: check },
  load: { words: ['FILE'], run: load },
  show: { words: [], run: show },
  history: { words: [], run: history },
  rollback: { words: ['N'], run: rollback },
};

export const command: Command = {
  usage: both(
    'usage: cigale flow check FILE | load FILE | show | history | rollback N  [--data DIR] [--json]',
    'usage : cigale flow check FICHIER | load FICHIER | show | history | rollback N  [--data DOSSIER] [--json]',
  ),
  run: (args, io) => runVerb(VERBS, args, io),
};
