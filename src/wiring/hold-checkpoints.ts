interface Checkpoint {
  /** The head of the log then: every record below had been taken. */
  readonly id: number;
  readonly monotonicMs: number;
}

/** Records wait that long for the clock to be set. */
export const LONGEST_HOLD_MS = 86_400_000;
/** What waits is let go in portions of this length: at most 150 of them are remembered. */
const PORTION_MS = 600_000;

/** Where the log stood when: tells what has waited long enough. */
export class HoldCheckpoints {
  #known: Checkpoint[];

  constructor(first: Checkpoint) {
    this.#known = [first];
  }

  note(now: Checkpoint): void {
    const newest = this.#known.at(-1);
    if (newest === undefined || now.monotonicMs - newest.monotonicMs >= PORTION_MS) this.#known.push(now);
  }

  /** The newest checkpoint before which everything has waited long enough; undefined: none. */
  takeOld(nowMs: number): Checkpoint | undefined {
    const place = this.#known.findLastIndex(({ monotonicMs }) => nowMs - monotonicMs >= LONGEST_HOLD_MS);
    if (place > 0) this.#known = this.#known.slice(place);
    return place < 0 ? undefined : this.#known[0];
  }
}
