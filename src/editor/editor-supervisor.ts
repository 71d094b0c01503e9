import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Language } from '../model/text.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import type { Service } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import { siblingModule } from '../runtime/module-url.ts';
import { Backoff } from '../runtime/retry.ts';
import { ChildLog } from './child-log.ts';
import { checkListen, type EditorListen, type EditorOptions } from './editor-options.ts';
import { STOP_DEADLINE_MS, STUCK_AFTER_MS, type ChildReport } from './editor-protocol.ts';

/** What the gateway's status says of the editor. */
export type EditorState =
  | { readonly phase: 'starting'; readonly safeMode: boolean }
  /** `url` is null in headless mode. */
  | { readonly phase: 'ready'; readonly safeMode: boolean; readonly url: string | null }
  /** Ended by itself; it is started again after a delay. */
  | { readonly phase: 'failed'; readonly safeMode: boolean; readonly detail: string }
  | { readonly phase: 'stopped'; readonly safeMode: boolean };

export interface SupervisorOptions {
  /** The editor's own files go to `dataDir/editor`. */
  readonly dataDir: string;
  readonly socketPath: string;
  readonly listen: EditorListen;
  readonly language: Language;
  /** Folder whose package.json names the Cigale nodes; this package by default. */
  readonly packageDir?: string;
}

interface Tools {
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

/** This many deaths within `DEATHS_WITHIN_MS` start the child with its flows stopped. */
const DEATHS_TO_SAFE_MODE = 3;
const DEATHS_WITHIN_MS = 10 * 60_000;
/** Having run so long, the next restart is quick again. */
const STEADY_MS = 60_000;
const KILL_AFTER_MS = STOP_DEADLINE_MS + 2000;

/**
 * Keeps the editor process running beside the gateway: restarts it with growing delays, kills it when it is stuck, stops
 * it with the gateway. Nothing it does can stop the gateway.
 */
export class EditorSupervisor implements Service {
  readonly #options: SupervisorOptions;
  readonly #tools: Tools;
  readonly #backoff: Backoff;
  readonly #childLog: ChildLog;
  #state: EditorState = { phase: 'stopped', safeMode: false };
  #listener: ((state: EditorState) => void) | undefined;
  #child: ChildProcess | undefined;
  #restart: Timer | undefined;
  #stuck: Timer | undefined;
  #startedMs = 0;
  #deathsMs: number[] = [];
  #failure = '';
  #isStopping = true;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: SupervisorOptions, tools: Tools) {
    this.#options = options;
    this.#tools = tools;
    this.#backoff = new Backoff({ firstMs: 1000, maxMs: 60_000, jitter: 0.5, random: tools.random });
    this.#childLog = new ChildLog(tools.log, tools.clock);
  }

  get state(): EditorState {
    return this.#state;
  }

  /** Process id of the running child, for the status and for tests. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Calls `listener` on every change of state, from now on. */
  onState(listener: (state: EditorState) => void): void {
    this.#listener = listener;
  }

  /**
   * Resolves once the child is being started: the gateway does not wait for its editor. Rejects with
   * EDITOR_NOT_LOOPBACK for an address that other machines could reach.
   */
  async start(): Promise<void> {
    checkListen(this.#options.listen);
    this.#isStopping = false;
    this.#spawn();
  }

  /** Resolves when the child has ended; it is killed when it does not end by itself. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#restart?.cancel();
    this.#stuck?.cancel();
    const child = this.#child;
    if (child !== undefined) {
      if (child.connected) child.send({ type: 'stop' }, () => {});
      const kill = this.#tools.clock.after(KILL_AFTER_MS, () => child.kill('SIGKILL'));
      await this.#ended;
      kill.cancel();
    }
    this.#set({ phase: 'stopped', safeMode: false });
  }

  #spawn(): void {
    const { clock } = this.#tools;
    this.#deathsMs = this.#deathsMs.filter((atMs) => clock.monotonicMs() - atMs < DEATHS_WITHIN_MS);
    const safeMode = this.#deathsMs.length >= DEATHS_TO_SAFE_MODE;
    this.#set({ phase: 'starting', safeMode });
    this.#startedMs = clock.monotonicMs();
    this.#failure = '';
    const child = this.#launch(safeMode);
    this.#child = child;
    if (child.stdout !== null) this.#childLog.follow(child.stdout, 'info');
    if (child.stderr !== null) this.#childLog.follow(child.stderr, 'warn');
    child.on('message', (report: ChildReport) => this.#take(report, safeMode));
    this.#ended = new Promise((resolve) => {
      // `error` instead of `exit`: the process could not be started at all.
      child.once('error', (error) => this.#died(child, error.message, resolve));
      child.once('exit', (code, signal) => this.#died(child, `ended with ${signal ?? code ?? 'no code'}`, resolve));
    });
    this.#watch();
  }

  #launch(safeMode: boolean): ChildProcess {
    const { dataDir, socketPath, listen, language } = this.#options;
    const packageDir = this.#options.packageDir ?? packageFolder();
    const options: EditorOptions = {
      userDir: join(dataDir, 'editor'),
      socketPath,
      listen,
      language,
      packageDir,
      safeMode,
    };
    const module = fileURLToPath(siblingModule(import.meta.url, 'editor-child'));
    // A small young generation keeps the resident memory of a process that mostly waits low.
    const flags = ['--max-semi-space-size=1', module, JSON.stringify(options)];
    return spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  }

  #take(report: ChildReport, safeMode: boolean): void {
    this.#watch();
    if (report.type === 'failed') this.#failure = report.message;
    if (report.type !== 'ready' || this.#isStopping) return;
    this.#set({ phase: 'ready', safeMode, url: report.url });
    this.#tools.log.info({ url: report.url, safeMode }, 'the editor is ready');
  }

  #watch(): void {
    const child = this.#child;
    this.#stuck?.cancel();
    this.#stuck = this.#tools.clock.after(STUCK_AFTER_MS, () => {
      this.#failure = 'the editor process was stuck';
      child?.kill('SIGKILL');
    });
  }

  #died(child: ChildProcess, how: string, resolve: () => void): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#stuck?.cancel();
    if (!this.#isStopping) this.#scheduleRestart(this.#failure === '' ? how : this.#failure);
    resolve();
  }

  #scheduleRestart(detail: string): void {
    const { clock, log } = this.#tools;
    const nowMs = clock.monotonicMs();
    this.#deathsMs.push(nowMs);
    if (nowMs - this.#startedMs >= STEADY_MS) this.#backoff.reset();
    const delayMs = this.#backoff.nextDelayMs();
    log.warn({ detail, delayMs }, 'the editor ended and is started again');
    this.#set({ phase: 'failed', safeMode: this.#state.safeMode, detail });
    this.#restart = clock.after(delayMs, () => this.#spawn());
  }

  #set(state: EditorState): void {
    this.#state = state;
    this.#listener?.(state);
  }
}

/** The folder of this package: the nearest one above with a package.json, from `src/` as from `dist/src/`. */
function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}
