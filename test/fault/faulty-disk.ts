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
  'read fails': 6,
  'no descriptors': 7,
} as const;
export type DiskFault = keyof typeof DISK_FAULTS;

/** Where in a call of the store the process ends; the numbers are those of `faulty-disk.c`. */
export const KILL_POINTS = { 'before an fsync': 0, 'after an fsync': 1, 'in a write': 2 } as const;
export type KillPoint = keyof typeof KILL_POINTS;

/** A disk under the store of a process that fails while it runs, as `set` says. */
export class FaultyDisk {
  readonly #control: string;
  #armed = 0;
  readonly env: Readonly<Record<string, string>>;

  /** Null where there is no gcc. */
  static create(folder: string, dataDir: string): FaultyDisk | null {
    const library = compile('faulty-disk.c', join(folder, 'faulty-disk.so'), '-shared', '-fPIC');
    return library === null ? null : new FaultyDisk(library, join(folder, 'faulty-disk'), dataDir);
  }

  private constructor(library: string, control: string, dataDir: string) {
    this.#control = control;
    writeFileSync(control, Buffer.alloc(5));
    this.env = { LD_PRELOAD: library, FAULT_DIR: `${dataDir}/`, FAULT_CONTROL: control };
  }

  /** `fsyncMs`: how long each fsync takes in addition, in steps of 10 ms, at most 2550. */
  set(fault: DiskFault | null, fsyncMs = 0): void {
    this.#write(0, fault === null ? 0 : DISK_FAULTS[fault], Math.round(fsyncMs / 10));
  }

  /** The process that has the store kills itself at the `count`-th such call from now on, or from its start; 1 to 255. */
  killAt(point: KillPoint, count: number): void {
    this.#armed = (this.#armed % 255) + 1;
    this.#write(2, count, KILL_POINTS[point], this.#armed);
  }

  /** Takes back `killAt`. */
  spare(): void {
    this.killAt('before an fsync', 0);
  }

  /** In place: the process has the file mapped. */
  #write(at: number, ...bytes: readonly number[]): void {
    const file = openSync(this.#control, 'r+');
    writeSync(file, Buffer.from(bytes), 0, bytes.length, at);
    closeSync(file);
  }
}
