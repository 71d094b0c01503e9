import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { OutboxStore } from '../store/store.ts';

const RETRY_MS = 5000;
const MAX_UNRECORDED = 64;

/**
 * Writes acknowledgements to the store behind the sender's back: an acknowledgement that is lost by a power cut only
 * means that the same body is sent once more. One that the store could not take is written again later.
 */
export class AckRecorder {
  readonly #store: Pick<OutboxStore, 'acknowledge'>;
  readonly #stream: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #unrecorded = new Map<number, number>();
  #writing: Promise<void> | undefined;
  #stopped = false;

  constructor(store: Pick<OutboxStore, 'acknowledge'>, stream: string, clock: Clock, log: Log) {
    this.#store = store;
    this.#stream = stream;
    this.#clock = clock;
    this.#log = log;
  }

  /** Acknowledged by the broker and not yet so in the store. */
  get count(): number {
    return this.#unrecorded.size;
  }

  /** So many that nothing new is to be sealed before the store has taken some. */
  get isFull(): boolean {
    return this.count > MAX_UNRECORDED;
  }

  has(seq: number): boolean {
    return this.#unrecorded.has(seq);
  }

  record(seq: number, atMs: number): void {
    this.#unrecorded.set(seq, atMs);
    this.#writing ??= this.#write();
  }

  /** Waits for what is being written. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#writing;
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    while (this.#unrecorded.size > 0) {
      const taken = [...this.#unrecorded];
      const results = await Promise.allSettled(
        taken.map(([seq, atMs]) => this.#store.acknowledge(this.#stream, seq, atMs)),
      );
      const failure = results.find((result) => result.status === 'rejected');
      for (const [index, [seq]] of taken.entries())
        if (results[index]?.status === 'fulfilled') this.#unrecorded.delete(seq);
      if (failure === undefined) continue;
      this.#log.warn({ error: messageOf(failure.reason) }, 'an acknowledgement could not be written; it will be again');
      if (this.#stopped) break;
      this.#clock.after(RETRY_MS, () => {
        if (!this.#stopped) this.#writing ??= this.#write();
      });
      break;
    }
    this.#writing = undefined;
  }
}
