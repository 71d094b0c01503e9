import type { LogEntry } from '../model/record.ts';

const STREAM = 'stream:';
/** Blocks remembered; each costs about 40 bytes, as equal lists are kept once. */
const MAX_BLOCKS = 50_000;

/** Which streams the records of a block go to: so a block is asked for once, not each time that room is needed. */
export class BlockStreams {
  readonly #lists = new Map<string, readonly string[]>();
  readonly #blocks = new Map<number, readonly string[]>();

  note(firstId: number, entries: readonly LogEntry[]): readonly string[] {
    const names = new Set<string>();
    for (const { to } of entries)
      for (const destination of to) if (destination.startsWith(STREAM)) names.add(destination.slice(STREAM.length));
    const list = [...names].toSorted();
    const key = list.join('\u001f');
    const known = this.#lists.get(key) ?? list;
    this.#lists.set(key, known);
    this.#blocks.set(firstId, known);
    const [oldest] = this.#blocks.keys();
    if (this.#blocks.size > MAX_BLOCKS && oldest !== undefined) this.#blocks.delete(oldest);
    return known;
  }

  find(firstId: number): readonly string[] | undefined {
    return this.#blocks.get(firstId);
  }

  forget(firstId: number): void {
    this.#blocks.delete(firstId);
  }
}
