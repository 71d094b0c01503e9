import type { Clock } from '../../runtime/clock.ts';
import { GatewayError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { CodecJob, CodecOutcome } from './codec-messages.ts';
import { CodecThread, type ThreadEnd } from './codec-thread.ts';

export interface CodecDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

type JobRequest =
  | { readonly kind: 'decode'; readonly codec: string; readonly input: string }
  | { readonly kind: 'check'; readonly script: string };

interface Waiting {
  readonly job: CodecJob;
  readonly resolve: (outcome: CodecOutcome) => void;
  readonly reject: (error: GatewayError) => void;
  /** It was running when a thread ended, once. */
  suspect: boolean;
}

/** So many jobs go to the thread in one message: it amortizes the way there, and bounds what hangs behind a slow script. */
const MAX_BATCH = 16;
const MAX_WAITING = 10_000;
const LAST_ID = 2 ** 31 - 1;

const unavailable = (detail: string): GatewayError => new GatewayError('CODEC_UNAVAILABLE', detail);

/**
 * Jobs for the sandbox, in order, over a thread that is started with the first job and replaced when it ends. The job that
 * a thread ended on is tried once more (the machine may have been too busy to run it in time), the others are simply
 * given to the next thread.
 */
export class CodecQueue {
  readonly #deps: CodecDeps;
  readonly #admit: (job: CodecJob) => CodecOutcome | null;
  #scripts: ReadonlyMap<string, string> = new Map();
  #waiting: Waiting[] = [];
  #running: Waiting[] = [];
  #thread: CodecThread | null = null;
  #lastId = 0;
  #stopped = false;
  #onIdle: (() => void) | null = null;

  /** `admit` may answer a job in the sandbox's place just before it would be sent. */
  constructor(deps: CodecDeps, admit: (job: CodecJob) => CodecOutcome | null = () => null) {
    this.#deps = deps;
    this.#admit = admit;
  }

  setScripts(scripts: ReadonlyMap<string, string>): void {
    this.#scripts = scripts;
    if (this.#thread?.isReady === true) this.#thread.setScripts(scripts);
  }

  /** Rejects with CODEC_UNAVAILABLE when the sandbox cannot take the job now; the job may be given again later. */
  run(request: JobRequest): Promise<CodecOutcome> {
    if (this.#stopped) return Promise.reject(unavailable('decoding has stopped'));
    if (this.#waiting.length >= MAX_WAITING) {
      this.#deps.metrics.count('cigale_codec_refused_total', 'Decodings refused because too many wait');
      return Promise.reject(unavailable('too many uplinks wait for decoding'));
    }
    this.#lastId = this.#lastId >= LAST_ID ? 1 : this.#lastId + 1;
    const job: CodecJob = { id: this.#lastId, ...request };
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject, suspect: false });
      // Jobs that are given in one go leave in one message.
      if (this.#waiting.length === 1) queueMicrotask(() => this.#pump());
    });
  }

  /** Finishes what was given, then ends the thread. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#waiting.length + this.#running.length > 0)
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    const thread = this.#thread;
    this.#thread = null;
    await thread?.end();
  }

  #pump(): void {
    if (this.#running.length > 0) return;
    if (this.#waiting.length === 0) {
      this.#onIdle?.();
      return;
    }
    this.#thread ??= this.#newThread();
    if (!this.#thread.isReady) return;
    this.#running = this.#take();
    if (this.#running.length > 0) this.#thread.send(this.#running.map(({ job }) => job));
    else this.#pump();
  }

  #take(): Waiting[] {
    return this.#waiting.splice(0, MAX_BATCH).filter((waiting) => {
      const answer = this.#admit(waiting.job);
      if (answer !== null) waiting.resolve(answer);
      return answer === null;
    });
  }

  #newThread(): CodecThread {
    const thread: CodecThread = new CodecThread(this.#deps.clock, {
      onReady: () => {
        thread.setScripts(this.#scripts);
        this.#pump();
      },
      onOutcomes: (outcomes) => this.#settle(new Map(outcomes)),
      onEnd: (end, job, detail) => this.#ended(end, job, detail),
    });
    return thread;
  }

  #settle(outcomes: ReadonlyMap<number, CodecOutcome>): void {
    const open: Waiting[] = [];
    let crashed = false;
    for (const waiting of this.#running) {
      const outcome = outcomes.get(waiting.job.id);
      if (outcome === undefined) open.push(waiting);
      else if (outcome.kind === 'crashed') {
        crashed = true;
        waiting.resolve(outcome);
      } else waiting.resolve(outcome);
    }
    this.#running = [];
    this.#waiting.unshift(...open);
    if (crashed) this.#replaceThread('crashed', 'a script broke the engine');
    this.#pump();
  }

  #ended(end: ThreadEnd, job: number, detail: string): void {
    const open = this.#running;
    this.#running = [];
    if (end === 'not-started') {
      this.#thread = null;
      this.#deps.log.error({ detail }, 'the codec worker does not start: uplinks stay undecoded');
      for (const { reject } of [...open, ...this.#waiting.splice(0)]) reject(unavailable(detail));
      this.#pump();
      return;
    }
    const kept = open.filter((waiting) => {
      const isBlamed = waiting.job.id === job;
      if (isBlamed && waiting.suspect) waiting.resolve({ kind: end === 'overrun' ? 'timeout' : 'crashed' });
      const isSettled = isBlamed && waiting.suspect;
      waiting.suspect ||= isBlamed;
      return !isSettled;
    });
    this.#waiting.unshift(...kept);
    this.#replaceThread(end, detail);
    this.#pump();
  }

  #replaceThread(end: ThreadEnd, detail: string): void {
    const thread = this.#thread;
    this.#thread = null;
    void thread?.end();
    this.#deps.metrics.count('cigale_codec_worker_restarts_total', 'Codec workers ended and replaced', { cause: end });
    this.#deps.log.warn({ cause: end, detail }, 'the codec worker is replaced');
  }
}
