import type { Row, SqlValue } from './database.ts';
import type { Driver } from './driver.ts';
import { isFlowWhole } from './flow-store.ts';
import { assignmentOf, codecOf, deviceOf, placeOf } from './registry/rows.ts';
import { type SalvageTarget, insertRow } from './salvage-target.ts';
import { type ScannedTable, scan } from './tolerant-scan.ts';

interface CopiedTable extends ScannedTable {
  readonly columns: readonly string[];
  /** Whether the row can be used; a thrown error says no as well. */
  readonly isUsable: (row: Row) => boolean;
}

const isText = (value: SqlValue | undefined): boolean => typeof value === 'string' && value !== '';
const isCount = (value: SqlValue | undefined): boolean =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isInstantOrNull = (value: SqlValue | undefined): boolean => value === null || isCount(value);

const DEVICE_COLUMNS =
  'id model lorawan dev_eui join_eui dev_addr relaxed_counter codec interval_ms channels app_key nwk_s_key app_s_key';

/** Tables that are carried over as they are, the hardest to replace first. */
const COPIED: readonly CopiedTable[] = [
  {
    name: 'place',
    key: ['id'],
    columns: ['id', 'name', 'latitude', 'longitude', 'height_m', 'tags'],
    isUsable: (row) => isText(row['id']) && Array.isArray(placeOf(row).tags),
  },
  {
    name: 'device',
    key: ['rowid'],
    columns: DEVICE_COLUMNS.split(' '),
    isUsable: (row) => isText(row['id']) && Array.isArray(deviceOf(row).channels),
  },
  {
    name: 'assignment',
    key: ['place', 'device', 'from_at'],
    columns: ['place', 'device', 'from_at', 'to_at'],
    isUsable: (row) => isText(assignmentOf(row).place) && isCount(row['from_at']) && isInstantOrNull(row['to_at']),
  },
  {
    name: 'codec',
    key: ['rowid'],
    columns: ['name', 'script', 'added_at'],
    isUsable: (row) => isText(codecOf(row).name) && isText(row['script']),
  },
  {
    name: 'flow',
    key: ['rowid'],
    columns: ['version', 'checksum', 'author', 'created_at', 'origin', 'json'],
    isUsable: (row) => isCount(row['version']) && isFlowWhole(row),
  },
  {
    name: 'flow_origin',
    key: ['rowid'],
    columns: ['origin', 'checksum'],
    isUsable: (row) => isText(row['origin']) && /^[0-9a-f]{64}$/.test(String(row['checksum'])),
  },
  {
    name: 'credential',
    key: ['rowid'],
    columns: ['id', 'sealed'],
    isUsable: (row) => row['id'] === 1 && row['sealed'] instanceof Uint8Array,
  },
  {
    name: 'window_series',
    key: ['rowid'],
    columns: ['id', 'key'],
    isUsable: (row) => isCount(row['id']) && isText(row['key']),
  },
  {
    name: 'window',
    key: ['start', 'series'],
    columns: ['start', 'series', 'revision', 'fingerprint'],
    isUsable: (row) => isCount(row['series']) && isCount(row['revision']) && isText(row['fingerprint']),
  },
];

/** Names of the tables of which a part could not be read. */
export async function copyTables(from: Driver, to: SalvageTarget): Promise<readonly string[]> {
  const incomplete: string[] = [];
  for (const table of COPIED) {
    const outcome = { isComplete: true };
    for await (const rows of scan(from, table, outcome)) {
      for (const row of rows) {
        if (makesSense(() => table.isUsable(row))) await to.put(table.name, insertRow(table.name, table.columns, row));
        else to.refuse(table.name);
      }
    }
    if (!outcome.isComplete) incomplete.push(table.name);
  }
  await to.flush();
  return incomplete;
}

/** Parsers of rows throw on what they cannot read: of a damaged row that is an answer. */
export function makesSense(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}
