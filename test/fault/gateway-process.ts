import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { waitFor } from './command.ts';

export interface ProcessOptions {
  /** Built entry point: dist/src/main.js, or a mutant's copy of it. */
  readonly main: string;
  readonly dataDir: string;
  readonly flowFile: string;
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The built gateway as a process of its own; tells the greatest id that it has reported as accepted. */
export class GatewayProcess {
  readonly #options: ProcessOptions;
  #child: ChildProcess | undefined;
  /** Greatest id that any run reported after its COMMIT. */
  acceptedThrough = 0;

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** `launcher`: a command and its arguments that starts the gateway's command line, as `prlimit` does. */
  start(...launcher: readonly string[]): void {
    const { main, dataDir, flowFile, logFile, env } = this.#options;
    const log = openSync(logFile, 'a');
    const command = [...launcher, process.execPath, main, 'run', '--data', dataDir, '--flow', flowFile];
    const child = spawn(command[0] ?? '', command.slice(1), {
      stdio: ['ignore', log, log, 'pipe'],
      env: { ...process.env, CIGALE_ACCEPTED_FD: '3', CIGALE_LOG: 'warn', ...env },
    });
    closeSync(log);
    const reports = child.stdio[3];
    if (reports instanceof Object && 'on' in reports) {
      createInterface({ input: reports as NodeJS.ReadableStream }).on('line', (line) => {
        this.acceptedThrough = Math.max(this.acceptedThrough, Number(line));
      });
    }
    this.#child = child;
  }

  /** True while the process lives. */
  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Most memory that the running process has had, in MiB; 0 when it has ended. */
  get peakRssMiB(): number {
    if (!this.isRunning) return 0;
    const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'));
    return Math.round(Number(line?.[1] ?? 0) / 1024);
  }

  /** From now on only what was reported before counts: what comes while the disk is cut is no promise. */
  async endAt(acceptedThrough: number): Promise<void> {
    await this.end('SIGKILL');
    this.acceptedThrough = acceptedThrough;
  }

  /** Waits until the process ends by itself; whether it did. */
  hasEnded(timeoutMs: number): Promise<boolean> {
    return waitFor(() => !this.isRunning, timeoutMs);
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    const closed = new Promise<void>((resolve) => {
      child.once('close', () => resolve());
    });
    child.kill(signal);
    await closed;
  }
}
