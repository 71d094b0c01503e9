import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError, messageOf, systemCode } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { ulidTimeMs } from './ulid.ts';

const FILE = 'cigale.db-head';
/** One sector takes it whole. */
const LENGTH = 64;

/**
 * How far the log had got, beside the database: a write-ahead log that was cut off or removed leaves a sound database of an
 * earlier time, and no other sign. Written after each commit and never synced, so it can lag behind and is never ahead.
 */
export class HighWater {
  readonly #file: FileHandle;
  readonly #epoch: string;
  readonly #log: Log;
  #head = 0;
  #written = 0;
  #writing: Promise<void> | undefined;

  private constructor(file: FileHandle, epoch: string, log: Log) {
    this.#file = file;
    this.#epoch = epoch;
    this.#log = log;
  }

  static async open(dataDir: string, epoch: string, log: Log): Promise<HighWater> {
    try {
      return new HighWater(await open(join(dataDir, FILE), 'w', 0o600), epoch, log);
    } catch (error) {
      throw asFault(error, dataDir);
    }
  }

  /** The head that was noted last in that epoch; 0 when none was. */
  static async read(dataDir: string, epoch: string): Promise<number> {
    const noted = await readNote(dataDir);
    return noted?.epoch === epoch ? noted.head : 0;
  }

  /** When the store was made whose log had records at last, whichever it was; null when none had. */
  static async madeAt(dataDir: string): Promise<number | null> {
    const noted = await readNote(dataDir);
    return noted !== undefined && noted.head > 1 ? ulidTimeMs(noted.epoch) : null;
  }

  /** What is noted while a write runs goes with the next. */
  note(head: number): void {
    this.#head = head;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  async #write(): Promise<void> {
    while (this.#written < this.#head) {
      this.#written = this.#head;
      try {
        await this.#file.write(`${this.#epoch} ${this.#head}`.padEnd(LENGTH - 1).concat('\n'), 0);
      } catch (error) {
        // Without it a loss goes unseen; the records themselves do not depend on it.
        this.#log.debug({ error: messageOf(error) }, 'the head of the log could not be noted');
      }
    }
  }
}

async function readNote(dataDir: string): Promise<{ readonly epoch: string; readonly head: number } | undefined> {
  try {
    const [, epoch, head] =
      /^([0-9A-HJKMNP-TV-Z]{26}) (\d+) *\n$/.exec(await readFile(join(dataDir, FILE), 'utf8')) ?? [];
    return epoch === undefined ? undefined : { epoch, head: Number(head) };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw asFault(error, dataDir);
  }
}

const asFault = (error: unknown, dataDir: string): GatewayError =>
  new GatewayError('STORE_IO', messageOf(error), { context: { dataDir }, cause: error });
