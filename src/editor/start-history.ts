import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../runtime/errors.ts';

/** This many starts without a clean end within `WITHIN_MS`, and the next one leaves the flows stopped. */
const DEATHS_TO_SAFE_MODE = 3;
const WITHIN_MS = 10 * 60_000;

/**
 * Remembers, across restarts by systemd, which starts of the editor did not end as they should: what its supervisor knows
 * where the editor is a child of the gateway.
 */
export class StartHistory {
  readonly #path: string;

  constructor(userDir: string) {
    this.#path = join(userDir, 'starts.json');
  }

  /** Notes a start; whether it should leave the flows stopped. Monotonic time: a start before the last boot is forgotten. */
  begin(nowMonotonicMs: number): boolean {
    const deaths = this.#read().filter((atMs) => atMs <= nowMonotonicMs && nowMonotonicMs - atMs < WITHIN_MS);
    writeFileSync(this.#path, JSON.stringify([...deaths, nowMonotonicMs].slice(-DEATHS_TO_SAFE_MODE)), { mode: 0o600 });
    return deaths.length >= DEATHS_TO_SAFE_MODE;
  }

  /** The editor was told to end. */
  endCleanly(): void {
    rmSync(this.#path, { force: true });
  }

  #read(): readonly number[] {
    try {
      const parsed: unknown = JSON.parse(readFileSync(this.#path, 'utf8'));
      return Array.isArray(parsed) ? parsed.filter((atMs) => typeof atMs === 'number') : [];
    } catch (error) {
      // A file torn by a power cut is no history.
      if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return [];
      throw error;
    }
  }
}
