import type { Clock } from '../runtime/clock.ts';
import { background } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import type { OutboxStore } from '../store/store.ts';
import type { Publisher } from './publisher.ts';

export interface StateTopicDeps {
  readonly store: Pick<OutboxStore, 'openStream'> & { readonly epoch: string };
  readonly upstream: Publisher;
  readonly clock: Clock;
  readonly log: Log;
}

const MIN_INTERVAL_MS = 60_000;

/** Tells receivers which numbers exist (retained): after each connection, then when changed, at most once a minute. */
export class StateTopic {
  readonly #deps: StateTopicDeps;
  readonly #stream: string;
  readonly #topic: string;
  #shownSeq = -1;
  #shownMs = -Infinity;

  constructor(deps: StateTopicDeps, stream: string, topic: string) {
    this.#deps = deps;
    this.#stream = stream;
    this.#topic = topic;
  }

  connected(): void {
    this.#shownSeq = -1;
    this.#shownMs = -Infinity;
  }

  /** Monotonic instant of the next publish; undefined while the broker has the present state. */
  dueMs(lastSeq: number): number | undefined {
    return lastSeq === this.#shownSeq ? undefined : this.#shownMs + MIN_INTERVAL_MS;
  }

  show(lastSeq: number): void {
    const dueMs = this.dueMs(lastSeq);
    const nowMs = this.#deps.clock.monotonicMs();
    if (dueMs === undefined || dueMs > nowMs) return;
    this.#shownSeq = lastSeq;
    this.#shownMs = nowMs;
    background(this.#publish(), this.#deps.log, 'the state of the stream could not be published');
  }

  async #publish(): Promise<void> {
    const { store, upstream, clock } = this.#deps;
    const { keptFrom, lastSeq } = await store.openStream(this.#stream, clock.nowMs());
    const payload = Buffer.from(JSON.stringify({ epoch: store.epoch, keptFrom, lastSeq }));
    await upstream.publish(this.#topic, payload, { retain: true, contentType: 'application/json' });
  }
}
