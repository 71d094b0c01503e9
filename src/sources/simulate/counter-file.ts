import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { systemCode } from '../../runtime/errors.ts';

/** Counters are reserved this many at a time, so that the file is written rarely and a killed simulator never repeats one. */
const RESERVE = 100;

/** Frame counters of simulated devices over restarts, as a device keeps them in its flash. */
export class CounterFile {
  readonly #file: string;
  readonly #reserved: Record<string, number>;

  constructor(file: string) {
    this.#file = file;
    this.#reserved = readCounters(file);
  }

  /** First counter that was never used before. */
  first(device: string): number {
    const next = this.#reserved[device] ?? 0;
    this.used(device, next);
    return next;
  }

  /** Notes that `fCnt` is about to be used. */
  used(device: string, fCnt: number): void {
    if (fCnt < (this.#reserved[device] ?? 0)) return;
    this.#reserved[device] = fCnt + RESERVE;
    const temporary = `${this.#file}.new`;
    writeFileSync(temporary, JSON.stringify(this.#reserved));
    renameSync(temporary, this.#file);
  }
}

function readCounters(file: string): Record<string, number> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {};
    throw error;
  }
}
