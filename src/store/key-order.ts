import type { SqlValue } from './database.ts';

/** Negative, 0 or positive, as SQLite orders keys under the BINARY collation ("Datatypes in SQLite" §4.1). */
export function compareKeys(a: readonly SqlValue[], b: readonly SqlValue[]): number {
  for (const [index, left] of a.entries()) {
    const order = compareValues(left, b[index] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(a: SqlValue, b: SqlValue): number {
  const classes = classOf(a) - classOf(b);
  if (classes !== 0) return classes;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return a === null || b === null ? 0 : Buffer.compare(bytesOf(a), bytesOf(b));
}

/** NULL comes before numbers, those before text, that before blobs. */
function classOf(value: SqlValue): number {
  if (value === null) return 0;
  if (typeof value === 'number') return 1;
  return typeof value === 'string' ? 2 : 3;
}

const bytesOf = (value: string | number | Uint8Array): Uint8Array =>
  value instanceof Uint8Array ? value : Buffer.from(String(value));
