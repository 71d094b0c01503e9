import type { z } from 'zod';
import type { Text } from '../model/text.ts';
import type { FaultCode } from './fault-codes.ts';
import type { IssueParams } from './fields.ts';

/** A schema's issue as a fault of a property: its path, and a sentence that names it and the remedy. */
export interface PropertyFault {
  readonly code: FaultCode;
  /** `channels[0].quantity` */
  readonly field: string;
  readonly message: Text;
}

/** `channels[0].quantity` of a path; the names are those of the editor's form. */
export const fieldName = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${part}]`;
    return name === '' ? String(part) : `${name}.${String(part)}`;
  }, '');

const MAX_SHOWN = 60;
const NOTHING: Text = { en: '', fr: '' };

const KINDS: Readonly<Record<string, Text>> = {
  string: { en: 'a text', fr: 'un texte' },
  number: { en: 'a number', fr: 'un nombre' },
  int: { en: 'a whole number', fr: 'un nombre entier' },
  boolean: { en: 'true or false', fr: 'true ou false' },
  array: { en: 'a list', fr: 'une liste' },
  object: { en: 'an object with properties', fr: 'un objet avec des propriétés' },
};

/** A value as a sentence shows it; lists and objects only by their kind, since they may be of any size. */
function shown(value: unknown): Text {
  if (Array.isArray(value)) return KINDS['array'] ?? NOTHING;
  if (typeof value === 'object' && value !== null) return KINDS['object'] ?? NOTHING;
  const json = typeof value === 'string' ? JSON.stringify(value) : String(value);
  const short = json.length > MAX_SHOWN ? `${json.slice(0, MAX_SHOWN)}…` : json;
  return { en: short, fr: short };
}

type Issue = z.core.$ZodIssue;

function boundText(issue: Issue & { code: 'too_small' | 'too_big' }): Text {
  const least = issue.code === 'too_small';
  const limit = String(least ? issue.minimum : issue.maximum);
  const unit: Readonly<Record<string, Text>> = {
    array: { en: ' entries', fr: ' éléments' },
    string: { en: ' characters', fr: ' caractères' },
  };
  return {
    en: `takes at ${least ? 'least' : 'most'} ${limit}${unit[issue.origin]?.en ?? ''}.`,
    fr: `prend au ${least ? 'moins' : 'plus'} ${limit}${unit[issue.origin]?.fr ?? ''}.`,
  };
}

function remedy(issue: Issue): Text {
  const given = shown(issue.input);
  if (issue.code === 'too_small' || issue.code === 'too_big') return boundText(issue);
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String).join(', ');
    return {
      en: `is ${given.en}; it takes one of: ${values}.`,
      fr: `vaut ${given.fr} ; valeurs possibles : ${values}.`,
    };
  }
  if (issue.code === 'invalid_type') {
    const kind = KINDS[issue.expected] ?? { en: issue.expected, fr: issue.expected };
    return { en: `is ${given.en}; it takes ${kind.en}.`, fr: `vaut ${given.fr} ; il faut ${kind.fr}.` };
  }
  return {
    en: `is ${given.en}, which cannot be used: type it again without invisible characters.`,
    fr: `vaut ${given.fr}, inutilisable : ressaisissez-le sans caractères invisibles.`,
  };
}

const isParams = (params: unknown): params is IssueParams =>
  typeof params === 'object' && params !== null && 'code' in params && 'text' in params;

function faultOf(issue: Issue): { readonly code: FaultCode; readonly text: Text } {
  if (issue.code === 'custom' && isParams(issue.params)) return issue.params;
  if (issue.code === 'invalid_type' && issue.input === undefined) {
    const text = { en: 'is empty, but it is required: fill it in.', fr: 'est vide, mais obligatoire : renseignez-le.' };
    return { code: 'PROPERTY_MISSING', text };
  }
  return { code: 'PROPERTY_INVALID', text: remedy(issue) };
}

/** Zod's issue (parsed with `reportInput`) in the words of the product. */
export function propertyFault(issue: Issue): PropertyFault {
  const { code, text } = faultOf(issue);
  const field = fieldName(issue.path);
  return { code, field, message: { en: `"${field}" ${text.en}`, fr: `« ${field} » ${text.fr}` } };
}
