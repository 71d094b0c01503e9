import { z } from 'zod';
import type { Text } from '../model/text.ts';
import { parseDuration } from '../runtime/duration.ts';
import type { FaultCode } from './fault-codes.ts';

/** What `docs/nodes.md` says of a property beside its consequence. */
export interface FieldDoc {
  readonly kind: string;
  readonly unit: string;
  /** Default as a form shows it; `required` where there is none. */
  readonly default: string;
  /** Properties of the object, or (`list`) of each object of the list. */
  readonly nested?: { readonly schema: z.ZodObject; readonly list: boolean };
}

/** Carried by a custom issue of a schema: `issue-text.ts` puts the property's name in front. */
export interface IssueParams {
  readonly code: FaultCode;
  readonly text: Text;
}

/** The part of zod's contexts that reports an issue. */
interface IssueSink {
  addIssue(issue: { code: 'custom'; params: Record<string, unknown>; path?: PropertyKey[] }): void;
}

/** Reports an issue of the value, or of what `path` leads to inside it. */
export function report(sink: IssueSink, code: FaultCode, text: Text, path: PropertyKey[] = []): void {
  const params: IssueParams = { code, text };
  sink.addIssue({ code: 'custom', params: { ...params }, path });
}

const DOCS = new WeakMap<z.ZodType, FieldDoc>();

/** Attaches what the documentation says to a property's schema. */
export function documented<Schema extends z.ZodType>(schema: Schema, doc: FieldDoc): Schema {
  DOCS.set(schema, doc);
  return schema;
}

/** The documentation of every property of a schema, those of nested objects as `channels[].key` and `poll.every`. */
export function docsOf(schema: z.ZodObject, prefix = ''): Readonly<Record<string, FieldDoc>> {
  const docs: Record<string, FieldDoc> = {};
  for (const [name, field] of Object.entries(schema.shape)) {
    const doc = DOCS.get(field as z.ZodType) ?? { kind: '', unit: '', default: '' };
    docs[prefix + name] = doc;
    if (doc.nested !== undefined)
      Object.assign(docs, docsOf(doc.nested.schema, `${prefix}${name}${doc.nested.list ? '[].' : '.'}`));
  }
  return docs;
}

/** Forms store an empty field as an empty text; it means the default. */
export const blankAsAbsent = (value: unknown): unknown => {
  const trimmed = typeof value === 'string' ? value.trim() : value;
  return trimmed === '' || trimmed === null ? undefined : trimmed;
};

/** Texts that consist of digits come as numbers from `${NAME}` of that type. */
export const textOrAsIs = (value: unknown): unknown =>
  typeof value === 'number' ? String(value) : blankAsAbsent(value);

const NUMBER_TEXT = /^[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d{1,3})?$/;

/** Editors store numbers as texts, French ones with a comma. */
export const numberOrAsIs = (value: unknown): unknown => {
  const given = blankAsAbsent(value);
  return typeof given === 'string' && NUMBER_TEXT.test(given) ? Number(given.replace(',', '.')) : given;
};

/** A list given as a list, as JSON text or as text with commas. */
export function listOrAsIs(value: unknown): unknown {
  const given = blankAsAbsent(value);
  if (typeof given !== 'string') return given;
  if (given.startsWith('[') || given.startsWith('{')) return jsonOrAsIs(given);
  return given
    .split(/[,;]/)
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** An object or list given as such or as JSON text. */
export function jsonOrAsIs(value: unknown): unknown {
  const given = blankAsAbsent(value);
  if (typeof given !== 'string' || !/^[[{]/.test(given)) return given;
  try {
    return JSON.parse(given) as unknown;
  } catch {
    return given;
  }
}

const PRINTABLE = /^\P{Cc}*$/u;
const MAX_TEXT = 200;

const plainText = (max: number): z.ZodString => z.string().max(max).regex(PRINTABLE);

/** A text that may be empty. */
export const text = (max = MAX_TEXT) =>
  documented(z.preprocess(textOrAsIs, plainText(max).default('')), {
    kind: `text up to ${max}`,
    unit: 'characters',
    default: 'empty',
  });

export const requiredText = (max = MAX_TEXT) =>
  documented(z.preprocess(textOrAsIs, plainText(max)), {
    kind: `text up to ${max}`,
    unit: 'characters',
    default: 'required',
  });

/** The id of a config node; that it exists is checked with the whole flow. */
export const reference = (type: string) =>
  documented(z.preprocess(blankAsAbsent, z.string()), { kind: `id of a ${type}`, unit: '', default: 'required' });

/** `[a-z0-9-]{1,40}`: what appears in topics and batches. */
export const identifier = () =>
  documented(
    z.preprocess(
      textOrAsIs,
      z.string().superRefine((value, sink) => {
        if (/^[a-z0-9-]{1,40}$/.test(value)) return;
        report(sink, 'PROPERTY_INVALID', {
          en: 'takes 1 to 40 lower-case letters a-z, digits and hyphens.',
          fr: 'prend 1 à 40 lettres minuscules a-z, chiffres et tirets.',
        });
      }),
    ),
    { kind: 'id `[a-z0-9-]{1,40}`', unit: '', default: 'required' },
  );

interface Range {
  readonly min: number;
  readonly max: number;
  readonly default: number;
  readonly unit?: string;
}

export const integer = (range: Range) =>
  documented(z.preprocess(numberOrAsIs, z.number().int().min(range.min).max(range.max).default(range.default)), {
    kind: `integer ${range.min} to ${range.max}`,
    unit: range.unit ?? '',
    default: String(range.default),
  });

export const decimal = (range: Range) =>
  documented(z.preprocess(numberOrAsIs, z.number().min(range.min).max(range.max).default(range.default)), {
    kind: `number ${range.min} to ${range.max}`,
    unit: range.unit ?? '',
    default: String(range.default),
  });

const booleanOrAsIs = (value: unknown): unknown => {
  const given = blankAsAbsent(value);
  if (given === 'true') return true;
  return given === 'false' ? false : given;
};

export const flag = (standard: boolean) =>
  documented(z.preprocess(booleanOrAsIs, z.boolean().default(standard)), {
    kind: 'boolean',
    unit: '',
    default: String(standard),
  });

/** A value of the list; values of `later` are known, but not done in this version. */
export function choice<const Values extends readonly (string | number)[]>(
  values: Values,
  standard: Values[number],
  later: readonly string[] = [],
) {
  const numeric = values.every((value) => typeof value === 'number');
  const schema = z.preprocess(
    (value, sink) => {
      const given = numeric ? numberOrAsIs(value) : blankAsAbsent(value);
      if (typeof given !== 'string' || !later.includes(given)) return given;
      reportLater(sink, `"${given}"`, `« ${given} »`, values.join(', '));
      return z.NEVER;
    },
    z.literal(values).default(standard as never),
  );
  return documented(schema, {
    kind: values.map((value) => `\`${value}\``).join(' '),
    unit: '',
    default: String(standard),
  });
}

/** A value that a later version will take. */
export function reportLater(sink: IssueSink, what: string, quoi: string, instead: string): void {
  report(sink, 'NOT_IN_THIS_VERSION', {
    en: `is ${what}, which is not in this version; choose ${instead}.`,
    fr: `vaut ${quoi}, qui n'existe pas dans cette version ; choisissez ${instead}.`,
  });
}

interface DurationRange {
  readonly min: string;
  readonly max: string;
  readonly default: string;
}

const msOf = (duration: string): number => parseDuration(duration) ?? 0;

const durationMs = (range: Omit<DurationRange, 'default'>) =>
  z.string().transform((value, sink) => {
    const ms = parseDuration(value);
    if (ms !== undefined && ms >= msOf(range.min) && ms <= msOf(range.max)) return ms;
    report(sink, 'PROPERTY_INVALID', {
      en: `takes a duration such as 500ms, 10s, 15m, 1h or 1d, from ${range.min} to ${range.max}.`,
      fr: `prend une durée telle que 500ms, 10s, 15m, 1h ou 1d, de ${range.min} à ${range.max}.`,
    });
    return z.NEVER;
  });

const durationDoc = (range: DurationRange): FieldDoc => ({
  kind: `duration ${range.min} to ${range.max}`,
  unit: 'text such as `15m`',
  default: range.default === '' ? 'empty' : range.default,
});

/** Milliseconds of a duration text; empty takes the default. */
export const duration = (range: DurationRange) =>
  documented(
    z.preprocess((value) => blankAsAbsent(value) ?? range.default, durationMs(range)),
    durationDoc(range),
  );

/** Milliseconds of a duration text, or null where it is empty; the default holds only where the property is absent. */
export const durationOrNever = (range: DurationRange) =>
  documented(
    z.preprocess(
      (value) => blankAsAbsent(value === undefined ? range.default : value) ?? null,
      durationMs(range).nullable(),
    ),
    durationDoc(range),
  );

export const textList = (kind: string) =>
  documented(z.preprocess(listOrAsIs, z.array(plainText(MAX_TEXT)).max(1000).default([])), {
    kind,
    unit: '',
    default: 'empty',
  });

const ESCAPES: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '\\': '\\' };

/** A text typed in a form with `\r` `\n` `\t` `\\` `\x02` for what cannot be typed. */
export const unescapeText = (value: string): string =>
  value.replace(/\\(?:([rnt\\])|x([0-9a-fA-F]{2}))/g, (_match, letter: string | undefined, hex: string | undefined) =>
    letter === undefined ? String.fromCharCode(Number.parseInt(hex ?? '0', 16)) : (ESCAPES[letter] ?? letter),
  );

const isBlank = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === false ||
  (Array.isArray(value) && value.length === 0);

/** Whether a property of a later version says anything: a form may store an object whose members are all empty. */
function hasContent(value: unknown, standards: readonly string[]): boolean {
  const given = jsonOrAsIs(value);
  if (isBlank(given)) return false;
  if (typeof given === 'string') return !standards.includes(given);
  return typeof given !== 'object' || given === null || Object.values(given).some((item) => !isBlank(item));
}

/** A property of a later version: it may be there, empty or with one of `standards`; anything else would be ignored silently. */
export const laterProperty = (...standards: readonly string[]) =>
  documented(
    z.unknown().superRefine((value, sink) => {
      if (!hasContent(value, standards)) return;
      report(sink, 'NOT_IN_THIS_VERSION', {
        en: 'is not in this version: leave it empty.',
        fr: "n'existe pas dans cette version : laissez-le vide.",
      });
    }),
    { kind: 'not in this version', unit: '', default: standards[0] ?? 'empty' },
  );
