import { z } from 'zod';
import { parseDuration } from '../../runtime/duration.ts';
import { documented, listOrAsIs, report, reportLater } from '../fields.ts';

const PERIODS = ['1m', '5m', '10m', '15m', '30m', '1h'] as const;
const STANDARD = ['1m', '15m', '1h'];
const KNOWN_MS: ReadonlySet<number | undefined> = new Set(PERIODS.map(parseDuration));

const period = z.string().transform((value, sink) => {
  const ms = parseDuration(value);
  if (ms !== undefined && KNOWN_MS.has(ms)) return ms;
  if (ms !== undefined || /^(day|week|month|year)$/.test(value))
    reportLater(sink, `"${value}"`, `« ${value} »`, PERIODS.join(', '));
  else
    report(sink, 'PROPERTY_INVALID', {
      en: `takes one of: ${PERIODS.join(', ')}.`,
      fr: `prend une valeur parmi : ${PERIODS.join(', ')}.`,
    });
  return z.NEVER;
});

/** Window lengths in milliseconds, ascending, each once. */
export const periods = () =>
  documented(
    z.preprocess(
      (value) => listOrAsIs(value) ?? STANDARD,
      z
        .array(period)
        .min(1)
        .max(20)
        .transform((lengths) => [...new Set(lengths)].sort((a, b) => a - b)),
    ),
    {
      kind: `list of ${PERIODS.map((entry) => `\`${entry}\``).join(' ')}`,
      unit: '',
      default: JSON.stringify(STANDARD),
    },
  );
