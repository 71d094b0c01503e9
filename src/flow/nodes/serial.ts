import { z } from 'zod';
import type { SerialSourceSettings } from '../../model/plan.ts';
import {
  choice,
  documented,
  duration,
  durationOrNever,
  jsonOrAsIs,
  reference,
  report,
  requiredText,
  text,
  unescapeText,
} from '../fields.ts';
import { defineNode } from '../node-type.ts';
import { channels, channelSettings } from './channel.ts';
import { patternProblem, type PatternProblem } from './pattern.ts';

const FORMATS = ['csv', 'keyvalue', 'json', 'regex', 'nmea'] as const;
const LATER_FORMATS = ['codec', 'modbus', 'sdi-12', 'binary'];

const separator = documented(
  z.unknown().transform((value, sink): string => {
    if (value === undefined || value === null || value === '') return ',';
    const given = typeof value === 'string' ? unescapeText(value) : '';
    if (/^[^"\r\n]{1,4}$/.test(given)) return given;
    report(sink, 'PROPERTY_INVALID', {
      en: 'takes 1 to 4 characters such as , or ; or \\t.',
      fr: 'prend 1 à 4 caractères tels que , ou ; ou \\t.',
    });
    return z.NEVER;
  }),
  { kind: '1 to 4 characters', unit: '', default: ',' },
);

const command = documented(
  z.unknown().transform((value) => (typeof value === 'string' ? unescapeText(value) : '')),
  { kind: 'text with `\\r` `\\n` `\\x02`', unit: '', default: 'empty' },
);

const pollShape = z.object({ command, every: duration({ min: '100ms', max: '1d', default: '10s' }) });

/** An absent command is no poll at all, whatever `every` says. */
function pollOrNull(value: unknown): unknown {
  const given = jsonOrAsIs(value);
  if (given === undefined || given === null) return null;
  if (typeof given !== 'object' || Array.isArray(given)) return given;
  const { command, every } = given as { command?: unknown; every?: unknown };
  return command === undefined || command === null || command === '' ? null : { command, every };
}

const poll = documented(z.preprocess(pollOrNull, pollShape.nullable()), {
  kind: 'object',
  unit: '',
  default: 'empty',
  nested: { schema: pollShape, list: false },
});

const PROBLEMS: Readonly<Record<PatternProblem, { readonly en: string; readonly fr: string }>> = {
  missing: {
    en: 'is empty, but the format regex needs it: give an expression with a group for each value.',
    fr: 'est vide, mais le format regex en a besoin : donnez une expression avec un groupe par valeur.',
  },
  syntax: { en: 'is not a regular expression: correct it.', fr: "n'est pas une expression régulière : corrigez-la." },
  'no-group': {
    en: 'has no group: put each value in parentheses, such as (?<level>\\d+).',
    fr: "n'a pas de groupe : mettez chaque valeur entre parenthèses, par exemple (?<niveau>\\d+).",
  },
  'group-unknown': {
    en: 'is not a group of the pattern: give its name or its number.',
    fr: "n'est pas un groupe de l'expression : donnez son nom ou son numéro.",
  },
};

const schema = z
  .object({
    port: reference('cigale-port'),
    format: choice(FORMATS, 'csv', LATER_FORMATS),
    separator,
    pattern: text(1000),
    checksum: choice(['auto', 'required', 'none'], 'auto'),
    channels,
    place: requiredText(80),
    device: requiredText(80),
    address: text(80),
    poll,
    silentAfter: durationOrNever({ min: '1s', max: '30d', default: '5m' }),
  })
  .superRefine((given, sink) => {
    if (given.format !== 'regex') return;
    const problem = patternProblem(given.pattern, []);
    if (problem !== null) report(sink, 'PATTERN_INVALID', PROBLEMS[problem], ['pattern']);
    given.channels.forEach(({ key }, index) => {
      if (problem === null && patternProblem(given.pattern, [key]) !== null)
        report(sink, 'PATTERN_INVALID', PROBLEMS['group-unknown'], ['channels', index, 'key']);
    });
  });

/** A sensor that writes lines on a serial port. */
export const serialNode = defineNode({
  type: 'cigale-serial',
  role: 'source',
  accepts: [],
  outputs: ['samples', 'rejected'],
  schema,
  references: { port: 'cigale-port' },
  settings: (node, given): SerialSourceSettings => ({
    nodeId: node.id,
    name: node.name,
    port: given.port,
    format: given.format,
    separator: given.separator,
    pattern: given.pattern,
    checksum: given.checksum,
    channels: given.channels.map(channelSettings),
    place: given.place,
    device: given.device,
    address: given.address,
    poll: given.poll === null ? null : { command: given.poll.command, everyMs: given.poll.every },
    silentAfterMs: given.silentAfter,
  }),
});
