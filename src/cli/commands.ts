import { hasCode } from '../runtime/errors.ts';
import { languageOf, say } from '../runtime/language.ts';
import { productVersion } from '../runtime/version.ts';
import type { Text } from '../model/text.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { both, endWithReader, processIo, table, type Io } from './io.ts';
import { reportError } from './report.ts';

/** A command module: its words after the name, and what it did as an exit code. */
export interface Command {
  readonly usage: Text;
  run(args: readonly string[], io: Io): Promise<number>;
}

interface Entry {
  readonly summary: Text;
  load(): Promise<{ command: Command }>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  demo: {
    summary: both('a gateway with simulated sensors and a broker', 'une passerelle avec capteurs simulés et serveur'),
    load: () => import('./demo.ts'),
  },
  run: { summary: both('the gateway', 'la passerelle'), load: () => import('./run.ts') },
  status: {
    summary: both('what the running gateway does', 'ce que fait la passerelle'),
    load: () => import('./status.ts'),
  },
  check: { summary: both('checks with advice', 'vérifications avec conseils'), load: () => import('./check.ts') },
  flow: {
    summary: both('check, load, show, list, roll back flows', 'vérifier, charger, montrer, lister, revenir'),
    load: () => import('./flow.ts'),
  },
  secrets: {
    summary: both('set a credential of a node', "saisir un secret d'un nœud"),
    load: () => import('./secrets.ts'),
  },
  devices: {
    summary: both('the registry of places and devices', 'le registre des lieux et appareils'),
    load: () => import('./devices.ts'),
  },
  codec: {
    summary: both('payload codecs (TS013)', 'décodeurs de charges utiles (TS013)'),
    load: () => import('./codec.ts'),
  },
  stream: {
    summary: both('outboxes, orphans among them', "files d'envoi, dont les orphelines"),
    load: () => import('./stream.ts'),
  },
  export: {
    summary: both('samples and aggregates out of the store', 'mesures et agrégats du stockage'),
    load: () => import('./export.ts'),
  },
  receive: {
    summary: both('the reference receiver of batches', 'le récepteur de référence'),
    load: () => import('./receive.ts'),
  },
  simulate: {
    summary: both('the simulated sensors on their own', 'les capteurs simulés seuls'),
    load: () => import('./simulate.ts'),
  },
};

/** Names of all commands, in the order of the overview. */
export const COMMAND_NAMES: readonly string[] = Object.keys(COMMANDS);

/** A command by its name, or undefined. */
export const loadCommand = async (name: string): Promise<Command | undefined> =>
  Object.hasOwn(COMMANDS, name) ? (await COMMANDS[name]?.load())?.command : undefined;

/** Runs `cigale WORDS…`; the exit code. Errors are printed with their code and what to do about it. */
export async function runCommand(words: readonly string[]): Promise<number> {
  const io = processIo(languageOf(process.env['LC_ALL'] || process.env['LC_MESSAGES'] || process.env['LANG']));
  endWithReader(EXIT.done);
  const [name, ...args] = words;
  if (name === '--version') {
    io.out(productVersion());
    return EXIT.done;
  }
  const command = name === undefined ? undefined : await loadCommand(name);
  if (command === undefined) return overview(name, io);
  if (asksForHelp(args)) {
    io.out(say(command.usage, io.language));
    return EXIT.done;
  }
  try {
    return await command.run(args, io);
  } catch (error) {
    reportError(error, io);
    if (hasCode(error, 'USAGE')) io.err(say(command.usage, io.language));
    return exitCodeOf(error);
  }
}

const asksForHelp = (args: readonly string[]): boolean => {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? args.length : end).some((word) => word === '--help' || word === '-h');
};

function overview(name: string | undefined, io: Io): number {
  const isAsked = name === '--help' || name === '-h' || name === 'help';
  const print = (line: string): void => (isAsked ? io.out(line) : io.err(line));
  if (name !== undefined && !isAsked)
    io.err(say(both(`cigale: there is no command "${name}"`, `cigale : commande inconnue « ${name} »`), io.language));
  print(
    say(
      both('usage: cigale COMMAND [--data DIR] [--help]', 'usage : cigale COMMANDE [--data DOSSIER] [--help]'),
      io.language,
    ),
  );
  for (const line of table(
    Object.entries(COMMANDS).map(([key, { summary }]) => [`  ${key}`, say(summary, io.language)]),
  ))
    print(line);
  return isAsked ? EXIT.done : EXIT.usage;
}
