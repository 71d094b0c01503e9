/** What `faulty-disk.c` wrote down, and the states in which a power cut can leave the files. */

const HEAD_BYTES = 24;
const SECTOR_BYTES = 512;
export const STORE_FILES = ['cigale.db', 'cigale.db-wal'] as const;

type Change =
  | { readonly kind: 'write'; readonly file: number; readonly offset: number; readonly data: Buffer }
  | { readonly kind: 'truncate'; readonly file: number; readonly length: number };

export type DiskEvent =
  | Change
  | { readonly kind: 'sync' | 'remove'; readonly file: number }
  | { readonly kind: 'mark'; readonly text: string };

export function readDiskLog(bytes: Buffer): DiskEvent[] {
  const events: DiskEvent[] = [];
  let at = 0;
  while (at + HEAD_BYTES <= bytes.length) {
    const kind = String.fromCharCode(bytes[at] ?? 0);
    const file = bytes[at + 1] ?? 0;
    const offset = Number(bytes.readBigUInt64LE(at + 8));
    const length = Number(bytes.readBigUInt64LE(at + 16));
    at += HEAD_BYTES;
    const data = bytes.subarray(at, at + length);
    at += length;
    if (kind === 'A') events.push({ kind: 'mark', text: data.toString('utf8') });
    else if (file >= STORE_FILES.length) continue;
    else if (kind === 'W') events.push({ kind: 'write', file, offset, data });
    else if (kind === 'T') events.push({ kind: 'truncate', file, length: offset });
    else if (kind === 'S') events.push({ kind: 'sync', file });
    else if (kind === 'U') events.push({ kind: 'remove', file });
    else throw new Error(`the log of the disk is damaged at ${at}`);
  }
  return events;
}

/** Which of the writes that no fsync followed reached the disk. */
export type Survival = 'none' | 'all' | 'some' | 'torn';
export const SURVIVALS: readonly Survival[] = ['none', 'all', 'some', 'torn'];

/** One file: what is surely on the disk, and what was changed since. */
class DiskFile {
  #durable: Buffer;
  #length: number;
  #isThere: boolean;
  /** Content of a removed file: the removal itself may not have reached the disk. */
  #removed: Buffer | undefined;
  #pending: Change[] = [];

  constructor(content: Buffer | undefined) {
    this.#durable = content ?? Buffer.alloc(0);
    this.#length = this.#durable.length;
    this.#isThere = content !== undefined;
  }

  change(change: Change): void {
    this.#removed = undefined;
    this.#pending.push(change);
  }

  sync(): void {
    for (const change of this.#pending) this.#apply(change);
    this.#pending = [];
    this.#isThere = true;
  }

  remove(): void {
    this.sync();
    this.#removed = this.#durable.subarray(0, this.#length);
    this.#durable = Buffer.alloc(0);
    this.#length = 0;
    this.#isThere = false;
  }

  /** The file as a cut at this moment may leave it; undefined: there is none. */
  after(survival: Survival, random: () => number): Buffer | undefined {
    if (this.#removed !== undefined) return random() < 0.5 ? this.#removed : undefined;
    const copy = new DiskFile(this.#isThere ? Buffer.from(this.#durable.subarray(0, this.#length)) : undefined);
    for (const change of this.#pending) {
      if (survival === 'none' || (survival !== 'all' && random() < 0.5)) continue;
      copy.change(survival === 'torn' ? torn(change, random) : change);
      copy.sync();
    }
    return copy.#isThere ? copy.#durable.subarray(0, copy.#length) : undefined;
  }

  #apply(change: Change): void {
    const end = change.kind === 'write' ? change.offset + change.data.length : change.length;
    if (end > this.#durable.length) {
      const larger = Buffer.alloc(Math.max(end, 2 * this.#durable.length));
      this.#durable.copy(larger, 0, 0, this.#length);
      this.#durable = larger;
    }
    if (change.kind === 'write') {
      change.data.copy(this.#durable, change.offset);
      this.#length = Math.max(this.#length, end);
    } else {
      this.#durable.fill(0, Math.min(end, this.#length), this.#length);
      this.#length = end;
    }
  }
}

/** Half of the writes end at a sector somewhere inside. */
function torn(change: Change, random: () => number): Change {
  if (change.kind === 'truncate' || random() < 0.5) return change;
  const sectors = Math.floor((random() * change.data.length) / SECTOR_BYTES);
  return { ...change, data: change.data.subarray(0, sectors * SECTOR_BYTES) };
}

/** The store's files while a log of the disk is played. */
export class ReplayedDisk {
  readonly #files: readonly DiskFile[];

  constructor(contents: readonly (Buffer | undefined)[]) {
    this.#files = STORE_FILES.map((_, file) => new DiskFile(contents[file]));
  }

  play(event: Exclude<DiskEvent, { kind: 'mark' }>): void {
    const file = this.#files[event.file];
    if (event.kind === 'sync') file?.sync();
    else if (event.kind === 'remove') file?.remove();
    else if (event.kind === 'write' || event.kind === 'truncate') file?.change(event);
  }

  after(survival: Survival, random: () => number): readonly (Buffer | undefined)[] {
    return this.#files.map((file) => file.after(survival, random));
  }
}
