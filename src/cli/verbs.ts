import { readArguments, type Arguments, type OptionTypes } from './arguments.ts';
import { wrongUse } from './command-error.ts';
import type { Io } from './io.ts';

/** One verb of a command such as `cigale flow`. */
export interface Verb {
  /** Names of its required arguments, as the usage shows them. */
  readonly words: readonly string[];
  readonly options?: OptionTypes;
  run(args: Arguments, io: Io): Promise<number>;
}

export type Verbs = Readonly<Record<string, Verb>>;

/** Runs the verb that the first word names; throws USAGE where there is none of that name. */
export async function runVerb(verbs: Verbs, [name, ...args]: readonly string[], io: Io): Promise<number> {
  const verb = name !== undefined && Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  const known = Object.keys(verbs).join(', ');
  if (verb === undefined) {
    throw name === undefined || name.startsWith('-')
      ? wrongUse(`one of these must follow: ${known}`, `il faut préciser : ${known}`)
      : wrongUse(`"${name}" is not one of: ${known}`, `« ${name} » ne fait pas partie de : ${known}`);
  }
  return verb.run(readArguments(args, verb.options, verb.words), io);
}
