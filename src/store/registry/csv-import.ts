import type { RegistryChange } from '../store.ts';
import { type Changes, type ImportSummary, changeOf, changesOf, summarize } from './csv-changes.ts';
import { type Header, readHeader } from './csv-columns.ts';
import type { CsvFault, CsvNotice } from './csv-faults.ts';
import { CsvMerge } from './csv-merge.ts';
import { type CsvTable, readCsv } from './csv-reader.ts';
import { type RowDraft, readRow } from './csv-row.ts';
import { ruleFaults, silentDevices } from './csv-rules.ts';
import { FaultList } from './fault-list.ts';
import { localMidnights } from './instant.ts';
import type { Inventory } from './inventory.ts';

export interface ImportOptions {
  /** IANA zone of the gateway: where a date without time begins. */
  readonly timezone: string;
  /** When an assignment without `from` begins. */
  readonly nowMs: number;
  /** Import the rows that are right although others are wrong. */
  readonly partial?: boolean;
}

export interface ImportPlan {
  /** What to apply: only what differs from the standing inventory; empty when something is wrong and `partial` is not set. */
  readonly change: RegistryChange;
  /** By line; at most 1000 of them; `faultCount` counts them all. */
  readonly faults: readonly CsvFault[];
  readonly faultCount: number;
  readonly notices: readonly CsvNotice[];
  readonly summary: ImportSummary;
}

/** Leaving out a wrong row can make another one wrong, but not endlessly so in a file that people wrote. */
const MAX_ROUNDS = 10;
const NOTHING: RegistryChange = { places: [], devices: [], assignments: [] };
const NO_ROWS: ImportSummary = { added: 0, changed: 0, unchanged: 0 };

/** Compares a CSV file with the standing inventory (keys included). Pure, and never throws for what the file holds. */
export function planImport(csv: Uint8Array, current: Inventory, options: ImportOptions): ImportPlan {
  const faults = new FaultList();
  const table = readCsv(csv);
  faults.add(table.faults);
  if (table.faults.length > 0 && table.rows.length === 0) return refused(faults, table.notices);
  const header = readHeader(table.rows[0]);
  const notices = [...table.notices, ...header.notices];
  faults.add(header.faults);
  if (header.faults.length > 0) return refused(faults, notices);
  const drafts = readDrafts(table, header, options, faults);
  const merged = mergeRows(drafts, current, options, faults);
  const isBroken = merged === undefined || table.faults.length > 0;
  if (isBroken || (faults.count > 0 && options.partial !== true)) return refused(faults, notices);
  const { merge, changes } = merged;
  return {
    change: changeOf(changes, merge, current),
    faults: faults.kept,
    faultCount: faults.count,
    notices: [...notices, ...silentDevices(merge)],
    summary: summarize(merge.rows, current, changes),
  };
}

/** The rows whose cells are all right. */
function readDrafts(table: CsvTable, header: Header, options: ImportOptions, faults: FaultList): RowDraft[] {
  const context = { separator: table.separator, localMidnight: localMidnights(options.timezone) };
  const drafts: RowDraft[] = [];
  for (const row of table.rows.slice(1)) {
    const { draft, faults: found } = readRow(row, header, context);
    faults.add(found);
    if (found.length === 0) drafts.push(draft);
  }
  return drafts;
}

interface Merged {
  readonly merge: CsvMerge;
  readonly changes: Changes;
}

/**
 * Lays the rows over what stands; with `partial`, again without the wrong ones until none is wrong. Undefined when
 * they do not come to rest.
 */
function mergeRows(
  drafts: readonly RowDraft[],
  current: Inventory,
  options: ImportOptions,
  faults: FaultList,
): Merged | undefined {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const before = faults.count;
    const merge = new CsvMerge(current, options.nowMs);
    for (const draft of drafts) {
      if (!faults.lines.has(draft.line)) faults.add(merge.add(draft));
    }
    const changes = changesOf(merge, current);
    faults.add(ruleFaults(merge, changes.devices));
    if (faults.count === before || options.partial !== true) return { merge, changes };
  }
  return undefined;
}

const refused = (faults: FaultList, notices: readonly CsvNotice[]): ImportPlan => ({
  change: NOTHING,
  faults: faults.kept,
  faultCount: faults.count,
  notices,
  summary: NO_ROWS,
});
