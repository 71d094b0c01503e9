import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { wrongUse } from './command-error.ts';

export type OptionTypes = Readonly<Record<string, 'string' | 'boolean'>>;

export interface Arguments {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

const COMMON: ParseArgsOptionsConfig = {
  data: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
};

/**
 * Parses a command's words. `options` maps each option to whether it takes a value, `words` names the arguments that must
 * stand beside them, all of them required. Throws USAGE.
 */
export function readArguments(
  args: readonly string[],
  options: OptionTypes = {},
  words: readonly string[] = [],
): Arguments {
  const config = { ...COMMON };
  for (const [name, type] of Object.entries(options)) config[name] = { type };
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options: config,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) if (token.kind === 'option') checkOption(config, token);
  checkWords(positionals, words);
  return { values, positionals };
}

/** A value that looks like an option is a forgotten value, unless it is a negative number (a longitude). */
const isForgotten = (value: string): boolean => /^-(?!\d)./.test(value);

function checkOption(
  config: ParseArgsOptionsConfig,
  token: {
    readonly name: string;
    readonly rawName: string;
    readonly value: string | undefined;
    readonly inlineValue: boolean | undefined;
  },
): void {
  const { name, rawName, value, inlineValue } = token;
  const option = Object.hasOwn(config, name) ? config[name] : undefined;
  if (option === undefined) throw wrongUse(`there is no option ${rawName}`, `option inconnue : ${rawName}`);
  if (option.type === 'boolean' && value !== undefined)
    throw wrongUse(`${rawName} takes no value`, `${rawName} ne prend pas de valeur`);
  if (option.type === 'string' && (value === undefined || (inlineValue !== true && isForgotten(value))))
    throw wrongUse(`${rawName} needs a value`, `${rawName} demande une valeur`);
}

function checkWords(given: readonly string[], wanted: readonly string[]): void {
  const missing = wanted.slice(given.length);
  if (missing.length > 0) throw wrongUse(`missing: ${missing.join(' ')}`, `il manque : ${missing.join(' ')}`);
  const extra = given[wanted.length];
  if (extra !== undefined) throw wrongUse(`unexpected argument "${extra}"`, `argument en trop : « ${extra} »`);
}

export function text(values: Arguments['values'], name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

export const flag = (values: Arguments['values'], name: string): boolean => values[name] === true;

/** `--data`, else `$CIGALE_DATA`, else `./data`. */
export const dataDirOf = (values: Arguments['values']): string =>
  text(values, 'data') ?? process.env['CIGALE_DATA'] ?? './data';

/** `HOST:PORT` (`[::1]:8080` for IPv6); throws USAGE. */
export function hostPort(value: string, option: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(value) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || port === undefined || Number(port) > 65_535) {
    throw wrongUse(`${option} takes HOST:PORT, not "${value}"`, `${option} prend HÔTE:PORT, pas « ${value} »`);
  }
  return { host, port: Number(port) };
}

/** A whole number of an option within bounds, or `fallback` where it is not given; throws USAGE. */
export function wholeNumber(
  values: Arguments['values'],
  name: string,
  fallback: number,
  [least, most]: readonly [number, number],
): number {
  const given = text(values, name);
  if (given === undefined) return fallback;
  const value = Number(given);
  if (given.trim() === '' || !Number.isInteger(value) || value < least || value > most) {
    throw wrongUse(
      `--${name} takes a whole number from ${least} to ${most}, not "${given}"`,
      `--${name} prend un nombre entier de ${least} à ${most}, pas « ${given} »`,
    );
  }
  return value;
}
