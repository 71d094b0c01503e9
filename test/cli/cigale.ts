import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CigaleOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A command as its user would start it, in English unless `env` says otherwise. */
export function spawnCigale(args: readonly string[], { env = {} }: CigaleOptions = {}): ChildProcess {
  const clean = { ...process.env, LANG: 'C.UTF-8', LC_ALL: '', LC_MESSAGES: '', CIGALE_DATA: undefined, ...env };
  return spawn(process.execPath, ['--no-warnings', MAIN, ...args], { env: clean });
}

/** Runs a command to its end. */
export async function cigale(args: readonly string[], options: CigaleOptions = {}): Promise<Ended> {
  const child = spawnCigale(args, options);
  child.stdin?.end(options.input ?? '');
  if (child.stdout === null || child.stderr === null) throw new Error('no output to read');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}
