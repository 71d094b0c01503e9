import { isDate } from 'node:util/types';
import { GatewayError } from '../runtime/errors.ts';

/** What a foreign message may say of a sample; the gateway checks the values. */
const FIELDS = ['place', 'quantity', 'value', 'channel', 'device', 'unit', 'observedAt', 'periodMs', 'key'] as const;

/** Samples in the payload of a foreign message: one object, or an array of them. Throws INJECTION_REFUSED. */
export function injectedSamples(payload: unknown): readonly object[] {
  const list = Array.isArray(payload) ? payload : [payload];
  if (list.length === 0) throw refused('the payload is an empty list');
  return list.map(injectedSample);
}

function injectedSample(item: unknown): object {
  if (typeof item !== 'object' || item === null) throw refused('the payload must be {place, quantity, value}');
  const given = item as Readonly<Record<string, unknown>>;
  if (given['kind'] !== undefined && given['kind'] !== 'sample') throw refused('only samples can be injected');
  for (const field of ['place', 'quantity', 'value']) {
    if (given[field] === undefined) throw refused(`the payload has no ${field}`);
  }
  return Object.fromEntries(
    FIELDS.filter((field) => given[field] !== undefined).map((field) => [field, plain(given[field])]),
  );
}

/** Function nodes hand over `Date` objects, of a realm of their own. */
const plain = (value: unknown): unknown => (isDate(value) ? value.getTime() : value);

const refused = (message: string): GatewayError => new GatewayError('INJECTION_REFUSED', message);
