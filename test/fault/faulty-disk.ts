import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from './command.ts';

/** What the disk answers from now on; the numbers are those of `faulty-disk.c`. */
export const DISK_FAULTS = {
  'fsync fails': 1,
  'write fails': 2,
  'disk full': 3,
  'short writes': 4,
  'read-only': 5,
} as const;
export type DiskFault = keyof typeof DISK_FAULTS;

/** A disk under the store of a process that fails while it runs, as `set` says. */
export class FaultyDisk {
  readonly #control: string;
  readonly env: Readonly<Record<string, string>>;

  /** Null where there is no gcc. */
  static create(folder: string, dataDir: string): FaultyDisk | null {
    const library = compile('faulty-disk.c', join(folder, 'faulty-disk.so'), '-shared', '-fPIC');
    return library === null ? null : new FaultyDisk(library, join(folder, 'faulty-disk'), dataDir);
  }

  private constructor(library: string, control: string, dataDir: string) {
    this.#control = control;
    writeFileSync(control, Buffer.of(0, 0));
    this.env = { LD_PRELOAD: library, FAULT_DIR: `${dataDir}/`, FAULT_CONTROL: control };
  }

  /** `fsyncMs`: how long each fsync takes in addition, in steps of 10 ms, at most 2550. */
  set(fault: DiskFault | null, fsyncMs = 0): void {
    // In place: the process has the file mapped.
    const file = openSync(this.#control, 'r+');
    writeSync(file, Buffer.of(fault === null ? 0 : DISK_FAULTS[fault], Math.round(fsyncMs / 10)), 0, 2, 0);
    closeSync(file);
  }
}
