import type { LogEntry, NewEntry } from '../model/record.ts';
import type { Statement } from './database.ts';
import type { Size } from './pending-writes.ts';

/** A write that waits for its COMMIT. */
export interface QueuedWrite {
  readonly entries: readonly NewEntry[];
  readonly statements: readonly Statement[];
  readonly size: Size;
  /** Needed to make room: where there is none it may use the reserve. */
  readonly mayUseReserve: boolean;
  readonly resolve: (entries: readonly LogEntry[]) => void;
  readonly reject: (error: unknown) => void;
  /** Resolved or rejected: it is not to be run again. */
  isSettled: boolean;
}

/** About what an entry occupies in memory while it waits. */
const ENTRY_BYTES = 256;

export const sizeOf = (entries: readonly NewEntry[], statements: readonly Statement[]): Size => ({
  records: Math.max(1, entries.length),
  bytes: bytesOf(entries, statements),
});

function bytesOf(entries: readonly NewEntry[], statements: readonly Statement[]): number {
  let bytes = entries.length * ENTRY_BYTES;
  for (const { params } of statements) {
    for (const param of params) {
      if (typeof param === 'string') bytes += param.length * 2;
      else bytes += param instanceof Uint8Array ? param.byteLength : 8;
    }
  }
  return bytes;
}

export const isOpen = ({ isSettled }: QueuedWrite): boolean => !isSettled;
