import { parseDuration } from '../../runtime/duration.ts';
import { type Cell, type CellFault, type CsvFaultCode, bad, excerpt, good } from './csv-faults.ts';
import type { Separator } from './csv-reader.ts';
import { parseDate, parseRfc3339 } from './instant.ts';

/** What the meaning of a cell depends on. */
export interface CellContext {
  /** Files with `;` come from spreadsheets that write `43,51` and `01/03/2026`. */
  readonly separator: Separator;
  /** UTC midnight of a date to the instant at which that date begins here. */
  readonly localMidnight: (utcMidnight: number) => number;
}

const MAX_ID_LENGTH = 64;
const MAX_TEXT_LENGTH = 200;
const MAX_TAGS = 32;

/** An id stands in topics and keys: no control character, none of `/ + #`. */
export function parseId(text: string): Cell<string> {
  if (text.length <= MAX_ID_LENGTH && !/[\p{Cc}/+#]/u.test(text)) return good(text);
  return bad(
    'TEXT_INVALID',
    `"${excerpt(text)}": an identifier has at most ${MAX_ID_LENGTH} characters and none of / + #.`,
    `« ${excerpt(text)} » : un identifiant a au plus ${MAX_ID_LENGTH} caractères, sans / + #.`,
  );
}

/** Line breaks and tabs inside a cell become spaces. */
export function parseText(text: string): Cell<string> {
  const value = text.replaceAll(/[\r\n\t]+/g, ' ');
  if (value.length <= MAX_TEXT_LENGTH && !/\p{Cc}/u.test(value)) return good(value);
  return bad(
    'TEXT_INVALID',
    `The text is longer than ${MAX_TEXT_LENGTH} characters, or holds a control character.`,
    `Le texte dépasse ${MAX_TEXT_LENGTH} caractères, ou contient un caractère de contrôle.`,
  );
}

/** Words by `|`; each once. */
export function parseTags(text: string): Cell<readonly string[]> {
  const cell = parseText(text);
  if ('fault' in cell) return cell;
  const tags = cell.value
    .split('|')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
  if (tags.length <= MAX_TAGS) return good([...new Set(tags)]);
  return bad('TEXT_INVALID', `More than ${MAX_TAGS} tags.`, `Plus de ${MAX_TAGS} étiquettes.`);
}

/** A number of `[min, max]`; with `;` the decimal sign may be a comma. */
export const parseNumber =
  (min: number, max: number) =>
  (text: string, { separator }: CellContext): Cell<number> => {
    const plain = separator === ';' ? text.replace(',', '.') : text;
    if (!/^[+-]?\d{1,15}(?:\.\d{1,30})?(?:e[+-]?\d{1,3})?$/i.test(plain)) {
      return bad(
        'NUMBER_INVALID',
        `"${excerpt(text)}" is not a number${separator === ',' ? ': write the decimals with a point' : ''}.`,
        `« ${excerpt(text)} » n'est pas un nombre${separator === ',' ? ' : écrivez les décimales avec un point' : ''}.`,
      );
    }
    const value = Number(plain);
    if (value >= min && value <= max) return good(value);
    return bad(
      'NUMBER_OUT_OF_RANGE',
      `"${excerpt(text)}" is not between ${min} and ${max}.`,
      `« ${excerpt(text)} » n'est pas entre ${min} et ${max}.`,
    );
  };

const LORAWAN: ReadonlyMap<string, 'otaa' | 'abp'> = new Map([
  ['otaa', 'otaa'],
  ['abp', 'abp'],
]);
const YES_NO: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'vrai', 'yes', 'oui', '1'].map((word): [string, boolean] => [word, true]),
  ...['false', 'faux', 'no', 'non', '0'].map((word): [string, boolean] => [word, false]),
]);

export const parseLorawan = (text: string): Cell<'otaa' | 'abp'> => word(text, LORAWAN);
export const parseYesNo = (text: string): Cell<boolean> => word(text, YES_NO);

function word<T>(text: string, meanings: ReadonlyMap<string, T>): Cell<T> {
  const meaning = meanings.get(text.toLowerCase());
  if (meaning !== undefined) return good(meaning);
  const allowed = [...meanings.keys()].join(', ');
  return invalid('WORD_UNKNOWN', text, `one of: ${allowed}`, `un de : ${allowed}`);
}

export function parseInterval(text: string): Cell<number> {
  const ms = parseDuration(text.replaceAll(/\s/g, '').toLowerCase());
  if (ms !== undefined && ms > 0) return good(ms);
  return invalid(
    'DURATION_INVALID',
    text,
    'a duration such as 30s, 10m, 1h, 1d',
    'une durée telle que 30s, 10m, 1h, 1d',
  );
}

/** The cell that `parseInterval` reads back: the longest unit that gives a whole number. */
export function formatInterval(ms: number): string {
  for (const [unit, unitMs] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const) {
    if (ms % unitMs === 0) return `${ms / unitMs}${unit}`;
  }
  return `${ms}ms`;
}

/** RFC 3339, or a date: then the local midnight at which it begins. */
export function parseInstant(text: string, { separator, localMidnight }: CellContext): Cell<number> {
  const day = parseDate(text, separator === ';');
  const ms = day === undefined ? parseRfc3339(text) : localMidnight(day);
  if (ms !== undefined) return good(ms);
  return invalid(
    'INSTANT_INVALID',
    text,
    'a date such as 2026-03-01, or an instant with its zone such as 2026-03-01T14:30:00+01:00',
    'une date telle que 2026-03-01, ou un instant avec son fuseau tel que 2026-03-01T14:30:00+01:00',
  );
}

const invalid = (code: CsvFaultCode, text: string, en: string, fr: string): { readonly fault: CellFault } =>
  bad(code, `"${excerpt(text)}" is not ${en}.`, `« ${excerpt(text)} » n'est pas ${fr}.`);
