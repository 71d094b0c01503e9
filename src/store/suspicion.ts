import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError, messageOf, systemCode } from '../runtime/errors.ts';

const FILE = 'cigale.db-suspect';
/** So many reports within this time are believed, whatever a check says: a gateway must not end for ever anew. */
const MAX_REPORTS = 3;
const MEMORY_MS = 3_600_000;

interface Report {
  /** Reports within the time that counts. */
  readonly times: number;
  /** Wall clock of the last one, ms. */
  readonly at: number;
  /** A full check after the last one found nothing. */
  readonly isRefuted: boolean;
}

/**
 * That SQLite called the file of a running gateway damaged, beside the database: pages that a failing disk or memory gave wrongly look
 * the same as a damaged file. So the gateway ends, and the next start checks the whole file before it sets anything aside.
 */
export class Suspicion {
  readonly #path: string;

  constructor(dataDir: string) {
    this.#path = join(dataDir, FILE);
  }

  async report(nowMs: number): Promise<void> {
    const before = await this.#read();
    const counts = before !== undefined && Math.abs(nowMs - before.at) <= MEMORY_MS;
    await this.#write({ times: counts ? before.times + 1 : 1, at: nowMs, isRefuted: false });
  }

  /** Whether a report is still to be checked, or to be believed without. */
  async verdict(): Promise<'none' | 'check' | 'believe'> {
    const report = await this.#read();
    if (report === undefined || report.isRefuted) return 'none';
    return report.times >= MAX_REPORTS ? 'believe' : 'check';
  }

  /** A full check found the file sound. */
  async refute(): Promise<void> {
    const report = await this.#read();
    if (report !== undefined) await this.#write({ ...report, isRefuted: true });
  }

  /** Another store stands in the place of the suspected one. */
  async forget(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  async #read(): Promise<Report | undefined> {
    try {
      return JSON.parse(await readFile(this.#path, 'utf8')) as Report;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      // Torn by a power cut: it was reported, and how often is not known.
      if (error instanceof SyntaxError) return { times: 1, at: 0, isRefuted: false };
      throw new GatewayError('STORE_IO', messageOf(error), { context: { path: this.#path }, cause: error });
    }
  }

  async #write(report: Report): Promise<void> {
    await writeFile(this.#path, JSON.stringify(report), { mode: 0o600, flush: true });
  }
}
