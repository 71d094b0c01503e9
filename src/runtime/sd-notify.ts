import { execFile } from 'node:child_process';
import { messageOf } from './errors.ts';
import type { Log } from './log.ts';

/** systemd-notify waits until systemd has read the message; one that takes longer than this is given up. */
const GIVE_UP_MS = 10_000;

/** Variables by which systemd talks to a service, sd_notify(3) and sd_watchdog_enabled(3). */
const VARIABLES = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'] as const;

type Environment = Record<string, string | undefined>;

/**
 * Speaks the protocol of sd_notify(3) through the program systemd-notify, because Node has no Unix datagram socket.
 * Without `NOTIFY_SOCKET` (a terminal, a test) it says nothing; a message that does not get out is logged once and never
 * stops the gateway.
 */
export class SdNotify {
  /** How often the service must say that it lives, milliseconds; null when nobody asks. */
  readonly watchdogMs: number | null;
  readonly #socket: string;
  readonly #log: Log;
  readonly #program: string;
  #sending: Promise<void> | undefined;
  #hasFailed = false;

  /** Takes systemd's variables out of `env`, so that child processes do not inherit the right to speak for the service. */
  constructor(env: Environment, log: Log, program = 'systemd-notify') {
    this.#socket = env['NOTIFY_SOCKET'] ?? '';
    this.watchdogMs = this.#socket === '' ? null : watchdogOf(env);
    this.#log = log;
    this.#program = program;
    for (const name of VARIABLES) delete env[name];
  }

  /** Whether a service manager listens. */
  get isActive(): boolean {
    return this.#socket !== '';
  }

  /** The gateway can accept samples. */
  ready(): Promise<void> {
    return this.#send('READY=1');
  }

  /** The gateway has begun to stop. */
  stopping(): Promise<void> {
    return this.#send('STOPPING=1');
  }

  /** The gateway lives; passed over while the message before is still on its way. */
  alive(): Promise<void> {
    return this.#sending ?? this.#send('WATCHDOG=1');
  }

  /** Messages leave in order; resolves when systemd has read this one, or it was given up. */
  #send(state: string): Promise<void> {
    if (!this.isActive) return Promise.resolve();
    const sent = (this.#sending ?? Promise.resolve()).then(() => this.#spawn(state));
    const sending = sent.finally(() => {
      if (this.#sending === sending) this.#sending = undefined;
    });
    this.#sending = sending;
    return sending;
  }

  #spawn(state: string): Promise<void> {
    const options = {
      env: { PATH: process.env['PATH'], NOTIFY_SOCKET: this.#socket },
      timeout: GIVE_UP_MS,
      killSignal: 'SIGKILL',
    } as const;
    return new Promise((resolve) => {
      execFile(this.#program, [state], options, (error, _stdout, stderr) => {
        this.#note(state, error === null ? null : stderr.trim() || messageOf(error));
        resolve();
      });
    });
  }

  #note(state: string, reason: string | null): void {
    if (reason !== null && !this.#hasFailed) {
      this.#log.warn({ state, reason }, 'systemd could not be told; it may restart the gateway');
    }
    this.#hasFailed = reason !== null;
  }
}

/** sd_watchdog_enabled(3): microseconds, meant for the process named, if one is. */
function watchdogOf(env: Environment): number | null {
  const pid = env['WATCHDOG_PID'];
  if (pid !== undefined && Number(pid) !== process.pid) return null;
  const microseconds = Number(env['WATCHDOG_USEC'] ?? Number.NaN);
  return Number.isSafeInteger(microseconds) && microseconds > 0 ? microseconds / 1000 : null;
}
