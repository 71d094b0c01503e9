import type { Publisher, PublishOutcome, PublishProperties } from '../../src/forward/publisher.ts';

export interface Published {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly properties: PublishProperties;
  readonly seq: number;
}

/** A broker connection whose state and answers the test decides. */
export class ManualPublisher implements Publisher {
  readonly protocol: 5 | 4;
  online = false;
  maxPacketBytes = Infinity;
  readonly published: Published[] = [];
  /** The answer to a batch; default: acknowledged. */
  answer: (message: Published) => Promise<PublishOutcome> = () => Promise.resolve({ kind: 'acknowledged' });
  readonly #listeners = new Set<(online: boolean) => void>();
  readonly #topics = new Map<string, (payload: Uint8Array) => void>();

  constructor(protocol: 5 | 4 = 5) {
    this.protocol = protocol;
  }

  /** Batches in order of publishing. */
  get batches(): readonly Published[] {
    return this.published.filter(({ topic }) => topic.includes('/batch'));
  }

  get seqs(): readonly number[] {
    return this.batches.map(({ seq }) => seq);
  }

  become(online: boolean): void {
    this.online = online;
    for (const listener of this.#listeners) listener(online);
  }

  tell(topic: string, value: unknown): void {
    this.#topics.get(topic)?.(Buffer.from(JSON.stringify(value)));
  }

  publish(topic: string, payload: Uint8Array, properties: PublishProperties): Promise<PublishOutcome> {
    if (!this.online) return Promise.resolve({ kind: 'not-sent' });
    const seq = Number(properties.userProperties?.['seq'] ?? topic.split('/batch/')[1]?.split('/')[0] ?? 0);
    const message = { topic, payload, properties, seq };
    this.published.push(message);
    return topic.includes('/batch') ? this.answer(message) : Promise.resolve({ kind: 'acknowledged' });
  }

  subscribe(topic: string, listener: (payload: Uint8Array) => void): () => void {
    this.#topics.set(topic, listener);
    return () => this.#topics.delete(topic);
  }

  onChange(listener: (online: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
