import type { CsvFault } from './csv-faults.ts';

/** More than anybody reads at once; the rest is counted. */
const MAX_FAULTS = 1000;

/** The faults of a file: keeps the first ones whole, and of all others the number and the lines. */
export class FaultList {
  readonly #kept: CsvFault[] = [];
  readonly #lines = new Set<number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Lines at fault, all of them. */
  get lines(): ReadonlySet<number> {
    return this.#lines;
  }

  /** In order of their lines; at most 1000. */
  get kept(): readonly CsvFault[] {
    return this.#kept.toSorted((a, b) => a.line - b.line);
  }

  add(faults: Iterable<CsvFault>): void {
    for (const fault of faults) {
      this.#count++;
      this.#lines.add(fault.line);
      if (this.#kept.length < MAX_FAULTS) this.#kept.push(fault);
    }
  }
}
