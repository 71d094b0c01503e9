import { Worker } from 'node:worker_threads';
import { every, type Clock, type Timer } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import { siblingModule } from '../../runtime/module-url.ts';
import type { CodecJob, CodecOutcome, FromWorker, ToWorker, WorkerData } from './codec-messages.ts';

/** Why a thread is no more: a job did not come back, the engine broke, or it never started. */
export type ThreadEnd = 'overrun' | 'crashed' | 'not-started';

export interface ThreadEvents {
  onReady(): void;
  onOutcomes(outcomes: readonly (readonly [id: number, outcome: CodecOutcome])[]): void;
  /** `job` is the id of the job it worked on last. The thread does nothing more. */
  onEnd(end: ThreadEnd, job: number, detail: string): void;
}

/** Two looks at the same job, so far apart, end the thread: 250 ms at least, 375 ms at most. */
const LOOK_EVERY_MS = 125;
const LOOKS_ALLOWED = 2;
/** Loading and compiling the engine takes 0.1 s here; a cold Pi on a worn card is given more. */
const START_LIMIT_MS = 20_000;
/** For the JavaScript side of the engine; scripts live in its WebAssembly memory, which has its own bound. */
const LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2, stackSizeMb: 4 };

/** A worker thread with the sandbox, and the watchdog that ends it when a script cannot be interrupted from inside. */
export class CodecThread {
  readonly #worker: Worker;
  readonly #events: ThreadEvents;
  readonly #progress: Int32Array;
  #timer: Timer;
  #ready = false;
  #busy = false;
  #seen = 0;
  #looks = 0;
  #ended = false;

  constructor(clock: Clock, events: ThreadEvents) {
    const progress = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    this.#events = events;
    this.#progress = new Int32Array(progress);
    const workerData: WorkerData = { progress };
    this.#worker = new Worker(siblingModule(import.meta.url, 'codec-worker'), {
      workerData,
      env: {},
      resourceLimits: LIMITS,
    });
    this.#worker.on('message', (message: FromWorker) => this.#hear(message, clock));
    this.#worker.on('error', (error) => this.#finish(this.#ready ? 'crashed' : 'not-started', messageOf(error)));
    this.#timer = clock.after(START_LIMIT_MS, () => this.#finish('not-started', 'the codec worker did not start'));
  }

  get isReady(): boolean {
    return this.#ready && !this.#ended;
  }

  setScripts(scripts: ReadonlyMap<string, string>): void {
    this.#say({ kind: 'scripts', scripts });
  }

  /** One list of jobs at a time. */
  send(jobs: readonly CodecJob[]): void {
    this.#busy = true;
    this.#looks = 0;
    this.#say({ kind: 'jobs', jobs });
  }

  /** Ends the thread without an event. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#timer.cancel();
    await this.#worker.terminate();
  }

  #say(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromWorker, clock: Clock): void {
    if (this.#ended) return;
    if (message.kind === 'ready') {
      this.#ready = true;
      this.#timer.cancel();
      this.#timer = every(clock, LOOK_EVERY_MS, () => this.#look());
      this.#events.onReady();
      return;
    }
    this.#busy = false;
    this.#events.onOutcomes(message.outcomes);
  }

  #look(): void {
    const job = this.#running();
    this.#looks = this.#busy && job === this.#seen ? this.#looks + 1 : 0;
    this.#seen = job;
    if (this.#looks >= LOOKS_ALLOWED) this.#finish('overrun', 'a script could not be interrupted');
  }

  #running(): number {
    return Atomics.load(this.#progress, 0);
  }

  #finish(end: ThreadEnd, detail: string): void {
    if (this.#ended) return;
    const job = this.#running();
    void this.end();
    this.#events.onEnd(end, job, detail);
  }
}
