import { GatewayError } from '../runtime/errors.ts';
import type { Row, SqlValue } from './database.ts';
import type { Driver } from './driver.ts';
import { compareKeys } from './key-order.ts';

export interface ScannedTable {
  readonly name: string;
  /** Columns that order the table; `rowid` where the key has an index of its own, which may be damaged apart. */
  readonly key: readonly string[];
}

export interface ScanOutcome {
  /** False when a part of the table could not be read. */
  isComplete: boolean;
}

const ROWS_PER_QUERY = 64;
/** Places in the middle of a table from which reading is tried; each costs a few reads. */
const MAX_PROBES = 64;
/** Below every key. */
const LOWEST = 0;

interface Gap {
  readonly low: number;
  readonly high: number;
}

/**
 * The rows of a damaged table that can be read: from the last backwards to the first damage, from the first forwards to
 * the last damage, and where the key is a number from places in between. No order is promised, and a row may come twice.
 */
export async function* scan(
  driver: Driver,
  table: ScannedTable,
  outcome: ScanOutcome,
): AsyncGenerator<readonly Row[], void> {
  const isNumeric = table.key.length === 1 && table.key[0] === 'rowid';
  const whole: Gap = { low: LOWEST, high: Number.MAX_SAFE_INTEGER };
  const down = yield* sweep(driver, table, isNumeric ? whole : null, 'DESC');
  if (down === 'end') return;
  outcome.isComplete = false;
  const high = numeric(down, whole.high);
  const stop = down === 'disorder' ? 'start' : down;
  const up = yield* sweep(driver, table, isNumeric ? { low: LOWEST, high } : null, 'ASC', stop);
  const isBroken = down !== 'disorder' && up !== 'disorder' && up !== 'end';
  if (isNumeric && isBroken) yield* probe(driver, table, { low: numeric(up, LOWEST), high });
}

/** Breadth first, so that a single damaged page costs few of the probes. */
async function* probe(driver: Driver, table: ScannedTable, first: Gap): AsyncGenerator<readonly Row[], void> {
  const gaps = [first];
  for (let probes = 0; probes < MAX_PROBES; probes += 1) {
    const gap = gaps.shift();
    if (gap === undefined) return;
    if (gap.high - gap.low < 2) continue;
    const middle = Math.floor((gap.low + gap.high) / 2);
    const up = yield* sweep(driver, table, { low: middle - 1, high: gap.high }, 'ASC');
    if (isPosition(up)) gaps.push({ low: Math.max(middle, numeric(up, middle)), high: gap.high });
    const down = yield* sweep(driver, table, { low: gap.low, high: middle }, 'DESC');
    if (isPosition(down)) gaps.push({ low: gap.low, high: Math.min(middle, numeric(down, middle)) });
  }
}

type Position = readonly SqlValue[] | 'start';
/** At `disorder` reading may have leapt over any rows, so a position would say nothing. */
type Reached = Position | 'end' | 'disorder';

const isPosition = (reached: Reached): boolean => reached !== 'end' && reached !== 'disorder';

/** Reads in one direction to the end, to the first row that cannot be read or to one out of order. */
async function* sweep(
  driver: Driver,
  table: ScannedTable,
  gap: Gap | null,
  direction: 'ASC' | 'DESC',
  stop: Position = 'start',
): AsyncGenerator<readonly Row[], Reached> {
  const edge = gap === null ? 'start' : [direction === 'ASC' ? gap.low : gap.high];
  let at: Position = 'start';
  let limit = ROWS_PER_QUERY;
  for (;;) {
    const { sql, params } = query(table, gap, direction, at, stop, limit);
    let rows: readonly Row[];
    try {
      rows = await driver.read(sql, params);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code === 'STORE_CLOSED') throw error;
      if (limit === 1) return at;
      limit = Math.max(1, limit >> 2);
      continue;
    }
    const forward = advancing(rows, table.key, at === 'start' ? edge : at, direction);
    if (forward.length > 0) yield forward;
    // Keys out of order are damage too: a page under a wrong parent would give the same rows again, for ever.
    if (forward.length < rows.length) return 'disorder';
    at = positionOf(forward.at(-1), table.key) ?? at;
    if (rows.length < limit) return 'end';
    limit = Math.min(ROWS_PER_QUERY, limit * 2);
  }
}

/** The first rows, as far as each lies beyond the one before it in the direction of reading. */
function advancing(
  rows: readonly Row[],
  key: readonly string[],
  from: Position,
  direction: 'ASC' | 'DESC',
): readonly Row[] {
  let last = from;
  for (const [index, row] of rows.entries()) {
    const next = positionOf(row, key) ?? [];
    if (last !== 'start' && compareKeys(next, last) * (direction === 'ASC' ? 1 : -1) <= 0) return rows.slice(0, index);
    last = next;
  }
  return rows;
}

const positionOf = (row: Row | undefined, key: readonly string[]): readonly SqlValue[] | undefined =>
  row === undefined ? undefined : key.map((_, index) => row[`key_${index}`] ?? null);

function query(
  { name, key }: ScannedTable,
  gap: Gap | null,
  direction: 'ASC' | 'DESC',
  at: Position,
  stop: Position,
  limit: number,
): { readonly sql: string; readonly params: readonly SqlValue[] } {
  const columns = key.length === 1 ? key.join('') : `(${key.join(', ')})`;
  const marks = key.length === 1 ? '?' : `(${key.map(() => '?').join(', ')})`;
  const conditions: string[] = [];
  const params: SqlValue[] = [];
  const add = (operator: string, values: readonly SqlValue[]): void => {
    conditions.push(`${columns} ${operator} ${marks}`);
    params.push(...values);
  };
  if (gap !== null) {
    add('>', [direction === 'ASC' ? numeric(at, gap.low) : gap.low]);
    add('<', [direction === 'DESC' ? numeric(at, gap.high) : gap.high]);
  } else {
    if (at !== 'start') add(direction === 'ASC' ? '>' : '<', at);
    if (stop !== 'start') add('<', stop);
  }
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const keys = key.map((column, index) => `${column} AS key_${index}`).join(', ');
  const order = key.map((column) => `${column} ${direction}`).join(', ');
  return { sql: `SELECT ${keys}, * FROM ${name} ${where} ORDER BY ${order} LIMIT ${limit}`, params };
}

const numeric = (position: Reached, otherwise: number): number => {
  const value = Array.isArray(position) ? position[0] : undefined;
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : otherwise;
};
