import type { Flag } from '../model/record.ts';

/** Flags of samples that say something about their window, in the order in which an aggregate lists them. */
const INHERITED: readonly Flag[] = [
  'out-of-range',
  'missing',
  'invalid',
  'clock-estimated',
  'counter-reset',
  'thinned',
  'injected',
];
const BITS: ReadonlyMap<Flag, number> = new Map(INHERITED.map((flag, index) => [flag, 1 << index]));

/** The flags seen in a window, each once; which of its samples carried them does not matter. */
export class FlagSet {
  #bits = 0;

  add(flags: readonly Flag[]): void {
    for (const flag of flags) this.#bits |= BITS.get(flag) ?? 0;
  }

  list(): Flag[] {
    return INHERITED.filter((flag) => this.#bits & (BITS.get(flag) ?? 0));
  }

  state(): string {
    return String(this.#bits);
  }
}
