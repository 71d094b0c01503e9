import type { Urgency } from './store.ts';

export type SqlValue = string | number | null | Uint8Array;

export interface Statement {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

export type Row = Readonly<Record<string, SqlValue>>;

/** What the parts of the store stand on: reads see every committed write; writes join the group commit. */
export interface Database {
  read(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]>;
  /** Runs the statements in order in one transaction (together with others'); resolves after its COMMIT. */
  write(statements: readonly Statement[], urgency?: Urgency): Promise<void>;
}
