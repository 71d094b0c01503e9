import { copyFile, mkdir, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError, messageOf, systemCode } from '../runtime/errors.ts';

/** Damaged stores kept; with a third the oldest goes. */
const MAX_KEPT = 2;
const MARK = 'cigale.db-damaged';
const SUFFIXES = ['', '-wal', '-journal', '-shm', '-wal.damaged'] as const;
const PREFIX = 'damaged-';
/** Where the new store is made before it takes the place of the old one. */
const NEW_FILE = 'cigale-salvage.db';
/** A copy to read from: opening a store changes it, and what was set aside stays as it was found. */
const COPY = 'cigale-damaged-copy.db';
const UNCOPIABLE: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO']);

/**
 * The files of a salvage. A mark in the data directory is written before the first rename and removed after the last, so
 * that a power cut in between leaves a salvage that the next start does again from the files that were set aside.
 */
export class DamagedFiles {
  readonly #dataDir: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** The name of the directory that the damaged store goes to, when one is marked; marks it if need be. */
  async mark(nowMs: number): Promise<string> {
    const known = await this.marked();
    if (known !== undefined) return known;
    const name = `${PREFIX}${new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-')}`;
    await this.#write(MARK, name);
    return name;
  }

  async marked(): Promise<string | undefined> {
    const name = await orAbsent(readFile(this.#path(MARK), 'utf8'));
    if (name === undefined) return undefined;
    // A mark torn by a power cut still says that something is to be done.
    return /^damaged-[0-9TZ-]+$/.test(name) ? name : `${PREFIX}marked`;
  }

  /** Whether the new store stands already and only the mark is left. */
  async isDone(name: string): Promise<boolean> {
    const [here, aside] = await Promise.all([exists(this.#path('cigale.db')), exists(this.#path(name, 'cigale.db'))]);
    return here && aside;
  }

  /** A write-ahead log as it was found: opening the store empties it. */
  async keepWal(): Promise<void> {
    await copyFile(this.#path('cigale.db-wal'), this.#path('cigale.db-wal.damaged'));
  }

  async forgetWal(): Promise<void> {
    await rm(this.#path('cigale.db-wal.damaged'), { force: true });
  }

  /** Renames the store's files whole; what a first attempt has moved stays moved. */
  async setAside(name: string): Promise<void> {
    await mkdir(this.#path(name), { recursive: true, mode: 0o700 });
    for (const suffix of SUFFIXES)
      await orAbsent(rename(this.#path(`cigale.db${suffix}`), this.#path(name, `cigale.db${suffix}`)));
    await this.#sync(name);
    await this.#sync();
    await this.#forgetOldest();
  }

  /** Path of a copy to read from; of the file itself where there is no room for one, or where a sector of it is dead. */
  async copyToRead(name: string): Promise<{ readonly path: string; readonly isCopy: boolean }> {
    await this.#remove(COPY);
    try {
      for (const suffix of ['', '-wal']) {
        await orAbsent(copyFile(this.#path(name, `cigale.db${suffix}`), this.#path(`${COPY}${suffix}`)));
      }
      return { path: this.#path(COPY), isCopy: true };
    } catch (error) {
      if (!UNCOPIABLE.has(systemCode(error) ?? '')) throw error;
      await this.#remove(COPY);
      return { path: this.#path(name, 'cigale.db'), isCopy: false };
    }
  }

  /** Path for the new store; what an earlier attempt left there is deleted. */
  async newFile(): Promise<string> {
    await this.#remove(NEW_FILE);
    return this.#path(NEW_FILE);
  }

  /** The new store, closed, takes its place; then nothing is marked any more. */
  async finish(): Promise<void> {
    await rename(this.#path(NEW_FILE), this.#path('cigale.db'));
    await this.#sync();
    await this.unmark();
    await this.#remove(COPY);
  }

  async unmark(): Promise<void> {
    await rm(this.#path(MARK), { force: true });
    await this.#sync();
  }

  async #forgetOldest(): Promise<void> {
    const kept = (await readdir(this.#dataDir)).filter((name) => name.startsWith(PREFIX)).toSorted();
    for (const name of kept.slice(0, -MAX_KEPT)) await rm(this.#path(name), { recursive: true, force: true });
  }

  async #remove(name: string): Promise<void> {
    for (const suffix of SUFFIXES) await rm(this.#path(`${name}${suffix}`), { force: true });
  }

  async #write(name: string, text: string): Promise<void> {
    await writeFile(this.#path(name), text, { mode: 0o600, flush: true });
    await this.#sync();
  }

  async #sync(name = ''): Promise<void> {
    const folder = await open(this.#path(name), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  #path(...parts: readonly string[]): string {
    return join(this.#dataDir, ...parts);
  }
}

const asOpenFault = (error: unknown): GatewayError =>
  new GatewayError('STORE_OPEN_FAILED', messageOf(error), { cause: error });

async function orAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw asOpenFault(error);
  }
}

const exists = async (path: string): Promise<boolean> => {
  const file = await orAbsent(open(path, 'r'));
  await file?.close();
  return file !== undefined;
};
