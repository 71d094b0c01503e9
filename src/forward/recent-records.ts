import { naturalKey } from './natural-key.ts';
import type { ReceivedBatch } from './received-batch.ts';

/** Natural keys remembered by default, about 10 MB: records come again within minutes, not after days. */
const MAX_KEYS = 100_000;

/** Which records a receiver had, as far back as its memory reaches. A record may well come in two streams: each is told apart. */
export class RecentRecords {
  readonly #keys = new Set<string>();
  readonly #maxKeys: number;

  constructor(maxKeys = MAX_KEYS) {
    this.#maxKeys = maxKeys;
  }

  has(record: Readonly<Record<string, unknown>>, of: ReceivedBatch): boolean {
    return this.#keys.has(keyOf(record, of));
  }

  /** Notes that a record is safely kept. */
  add(record: Readonly<Record<string, unknown>>, of: ReceivedBatch): void {
    this.#keys.add(keyOf(record, of));
    const [oldest] = this.#keys;
    if (this.#keys.size > this.#maxKeys && oldest !== undefined) this.#keys.delete(oldest);
  }
}

const keyOf = (record: Readonly<Record<string, unknown>>, { gateway, stream, epoch }: ReceivedBatch): string =>
  `${stream}/${naturalKey(gateway, epoch, record)}`;
