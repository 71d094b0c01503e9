/** Records that were taken while the clock was not set, and by how much their line of time was wrong. */
export interface RetimeSpan {
  /** Ids in `[fromId, toId)`; both at the edge of a commit. */
  readonly fromId: number;
  readonly toId: number;
  /** Instants of the wrong line, both included. */
  readonly startAt: number;
  readonly endAt: number;
  /** What is added to them. */
  readonly deltaMs: number;
}

export interface ClockStore {
  /** What was last saved with `saveClockState`; undefined before the first time. */
  clockState(): Promise<string | undefined>;
  /** Commits at once, together with or after every record that was appended before. */
  saveClockState(state: string): Promise<void>;
  /**
   * Puts records of the first part of a span right: samples with the flag `clock-estimated`, which they lose, and gaps that begin or
   * end within the wrong line. `stateAfter` gives the state that is saved in the same transaction, from the id where the next
   * call goes on; resolves with that id (`toId`: done). A block that changed meanwhile is left as it is.
   */
  retime(span: RetimeSpan, stateAfter: (nextId: number) => string): Promise<number>;
}
