import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, cpSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { cigaleFlow, type FlowChanges } from './cigale-flow.ts';
import type { Candidate, Place } from './candidate.ts';

const ROOT = join(import.meta.dirname, '../..');

/** A copy of `dist` that no build changes under us; beside it lie the same node_modules. */
export function frozenBuild(): string {
  const folder = join(ROOT, 'node_modules/.cache/bench', String(process.pid));
  mkdirSync(folder, { recursive: true });
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'dist/src/main.js');
}

export interface CigaleOptions {
  readonly main: string;
  readonly editor?: string;
  readonly changes?: FlowChanges;
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node before the program. */
  readonly nodeOptions?: readonly string[];
}

/** `cigale run` as a process of its own. */
export class CigaleCandidate implements Candidate {
  readonly name = 'Cigale';
  readonly #place: Place;
  readonly #options: CigaleOptions;
  #child: ChildProcess | undefined;
  #startedMs = 0;
  firstAcceptedMs = Number.NaN;
  /** Greatest id on disk. */
  acceptedThrough = 0;

  constructor(place: Place, options: CigaleOptions) {
    this.#place = place;
    this.#options = options;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    const { folder } = this.#place;
    const { main, editor = 'off', changes, env, nodeOptions = [] } = this.#options;
    mkdirSync(dirname(join(folder, 'x')), { recursive: true });
    const flowFile = join(folder, 'flow.json');
    writeFileSync(flowFile, JSON.stringify(cigaleFlow(this.#place, changes)));
    const log = openSync(join(folder, 'cigale.log'), 'a');
    this.firstAcceptedMs = Number.NaN;
    this.#startedMs = performance.now();
    const args = [...nodeOptions, main, 'run', '--data', join(folder, 'data'), '--flow', flowFile, '--editor', editor];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', log, log, 'pipe'],
      env: { ...process.env, CIGALE_ACCEPTED_FD: '3', CIGALE_LOG: 'warn', ...env },
    });
    closeSync(log);
    createInterface({ input: child.stdio[3] as NodeJS.ReadableStream }).on('line', (line) => {
      if (Number.isNaN(this.firstAcceptedMs)) this.firstAcceptedMs = performance.now() - this.#startedMs;
      this.acceptedThrough = Math.max(this.acceptedThrough, Number(line));
    });
    this.#child = child;
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise<void>((resolve) => void child.once('close', () => resolve()));
    child.kill(signal);
    await closed;
  }
}
