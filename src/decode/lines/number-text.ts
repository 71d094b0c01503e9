import { canonicalUnit } from '../../model/unit.ts';

/** A number as sensors write it. Deliberately not `Number()`, for which an empty text is 0 and `0x1F` a number. */
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/;
const NUMBER_THEN_UNIT = /^([+-]?[\d.,]+)\s*([^\d\s.,+/-].*)$/;

/** Marks that say there is no value: nothing, dashes, slashes (`----`, `--.-`, `///`). */
const MISSING = /^(?:[-/.]*|n\/?a|null|none)$/i;
/** Marks that say the value is not to be used: `#`, `***`, NAN, INF. */
const INVALID = /^(?:[#*?]+|[+-]?nan|[+-]?inf(?:inity)?|err(?:or)?|inv(?:alid)?)$/i;

export type NumberText =
  | { readonly kind: 'number'; readonly value: number; readonly unit: string }
  | { readonly kind: 'missing' | 'invalid' }
  | { readonly kind: 'not-a-number' };

const NOT_A_NUMBER: NumberText = { kind: 'not-a-number' };

/** What a value's text says; `unit` is the unit that follows the number (`53.8 dB`), or empty. */
export function readNumber(text: string, allowDecimalComma: boolean): NumberText {
  const trimmed = text.trim();
  const value = parseDecimal(trimmed, allowDecimalComma);
  if (value !== undefined) return { kind: 'number', value, unit: '' };
  if (MISSING.test(trimmed)) return { kind: 'missing' };
  if (INVALID.test(trimmed)) return { kind: 'invalid' };
  const [, digits = '', unit = ''] = NUMBER_THEN_UNIT.exec(trimmed) ?? [];
  const before = parseDecimal(digits, allowDecimalComma);
  if (before === undefined || canonicalUnit(unit) === undefined) return NOT_A_NUMBER;
  return { kind: 'number', value: before, unit };
}

function parseDecimal(text: string, allowDecimalComma: boolean): number | undefined {
  const dotted = allowDecimalComma && text.includes(',') ? text.replace(',', '.') : text;
  if (!DECIMAL.test(dotted)) return undefined;
  const value = Number(dotted);
  return Number.isFinite(value) ? value : undefined;
}
