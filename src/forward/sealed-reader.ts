import type { OutboxStore } from '../store/store.ts';
import type { AckRecorder } from './ack-recorder.ts';
import type { DeliveryWindow } from './delivery-window.ts';

const PAGE = 4;

/** Brings sealed batches that only the store holds into the window, in order of their number, as it has room. */
export class SealedReader {
  readonly #store: Pick<OutboxStore, 'unacknowledged'>;
  readonly #stream: string;
  readonly #window: DeliveryWindow;
  readonly #acks: AckRecorder;
  /** Batches up to this number came through the window. */
  #loadedSeq = 0;
  #hasMore = true;

  constructor(store: Pick<OutboxStore, 'unacknowledged'>, stream: string, window: DeliveryWindow, acks: AckRecorder) {
    this.#store = store;
    this.#stream = stream;
    this.#window = window;
    this.#acks = acks;
  }

  /** Whether the store may hold batches that the window never had; nothing new is sealed before the last of them. */
  get hasMore(): boolean {
    return this.#hasMore;
  }

  restart(): void {
    this.#loadedSeq = 0;
    this.#hasMore = true;
  }

  /** A batch with the next number went into the window as it was sealed. */
  passed(seq: number): void {
    this.#loadedSeq = seq;
  }

  /** Batches with the next numbers were sealed, and are only in the store. */
  follow(): void {
    this.#hasMore = true;
  }

  /** False when the window has no room. */
  async load(): Promise<boolean> {
    if (this.#window.free <= 0) return false;
    const page = await this.#store.unacknowledged(this.#stream, this.#loadedSeq, PAGE);
    this.#hasMore = page.length === PAGE;
    for (const batch of page) {
      const isKnown = this.#window.has(batch.seq) || this.#acks.has(batch.seq);
      if (!isKnown && this.#window.free <= 0) {
        this.#hasMore = true;
        break;
      }
      if (!isKnown) this.#window.add(batch);
      this.#loadedSeq = batch.seq;
    }
    return true;
  }
}
