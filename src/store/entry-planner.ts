import type { LogEntry, NewEntry } from '../model/record.ts';
import type { Statement } from './database.ts';

/** Gives ids to the entries of one transaction, in the order of the writes that bring them. */
export interface EntryPlanner {
  plan(groups: readonly (readonly NewEntry[])[]): EntryPlan;
}

export interface EntryPlan {
  /** Idempotent: a transaction whose COMMIT failed may have been applied all the same, and is run again as it is. */
  readonly statements: readonly Statement[];
  /** The numbered entries of each write. */
  readonly groups: readonly (readonly LogEntry[])[];
  /** Called once, after the COMMIT and before the writes' promises resolve. */
  committed(): void;
}
