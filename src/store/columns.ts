/**
 * Columns of numbers as JSON holds them. JSON has no -0, NaN or infinity, so those (which no sensor should give) stand as
 * text; whole numbers that rise slowly stand as differences, which is what makes a block small.
 */
export type NumberCell = number | string | null;

export const packNumber = (value: number | null): NumberCell =>
  value === null || (Number.isFinite(value) && !Object.is(value, -0))
    ? value
    : Object.is(value, -0)
      ? '-0'
      : String(value);

export const unpackNumber = (cell: NumberCell): number | null => (typeof cell === 'string' ? Number(cell) : cell);

/** Either differences from the number before (the first from 0), or the numbers as they are. */
export type NumberColumn = { readonly d: readonly number[] } | { readonly n: readonly NumberCell[] };

export function packDeltas(values: readonly number[]): NumberColumn {
  if (!values.every(isExactInDifferences)) return { n: values.map(packNumber) };
  let before = 0;
  return {
    d: values.map((value) => {
      const difference = value - before;
      before = value;
      return difference;
    }),
  };
}

export function unpackDeltas(column: NumberColumn): number[] {
  if ('n' in column) return column.n.map((cell) => Number(cell));
  let value = 0;
  return column.d.map((difference) => (value += difference));
}

/** Half of the safe integers, so that no difference of two leaves them. */
const isExactInDifferences = (value: number): boolean =>
  Number.isInteger(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER / 2 && !Object.is(value, -0);

/** Each distinct value once, and its place; values are found by a cheap key and told apart by comparison. */
export class Dictionary<T> {
  readonly values: T[] = [];
  readonly #places = new Map<string, number[]>();
  readonly #isEqual: (a: T, b: T) => boolean;

  constructor(isEqual: (a: T, b: T) => boolean) {
    this.#isEqual = isEqual;
  }

  /** Place of the value that equals `value`; `make` gives the form to keep when it is new. */
  placeOf(key: string, value: T, make: (value: T) => T): number {
    let places = this.#places.get(key);
    if (places === undefined) this.#places.set(key, (places = []));
    for (const place of places) if (this.#isEqual(this.values[place] as T, value)) return place;
    places.push(this.values.length);
    return this.values.push(make(value)) - 1;
  }
}

export const isSameList = (a: readonly string[], b: readonly string[]): boolean =>
  a === b || (a.length === b.length && a.every((item, index) => item === b[index]));
