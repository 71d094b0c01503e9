import { type CsvFault, type CsvNotice, excerpt } from './csv-faults.ts';
import type { CsvRow } from './csv-reader.ts';

/** The columns of the registry's CSV, in the order in which they are exported. Names are permanent. */
export const COLUMNS = [
  'place',
  'place_name',
  'lat',
  'lon',
  'height_m',
  'tags',
  'device',
  'model',
  'lorawan',
  'dev_eui',
  'join_eui',
  'app_key',
  'dev_addr',
  'nwk_s_key',
  'app_s_key',
  'relaxed_counter',
  'codec',
  'interval',
  'channels',
  'from',
  'to',
] as const;

export type ColumnName = (typeof COLUMNS)[number];

export interface Header {
  /** Position of each column that the file has. */
  readonly positions: ReadonlyMap<ColumnName, number>;
  readonly width: number;
  readonly faults: readonly CsvFault[];
  readonly notices: readonly CsvNotice[];
}

/** Reads the header row. Unknown columns are ignored, and named in a notice: one of them may be a typing error. */
export function readHeader(row: CsvRow | undefined): Header {
  const names = (row?.cells ?? []).map((cell) => cell.trim().toLowerCase());
  const positions = new Map<ColumnName, number>();
  const faults: CsvFault[] = [];
  const line = row?.line ?? 0;
  for (const [position, name] of names.entries()) {
    const column = COLUMNS.find((known) => known === name);
    if (column === undefined) continue;
    if (positions.has(column)) faults.push(columnTwice(line, column));
    else positions.set(column, position);
  }
  if (!positions.has('place') && !positions.has('device') && !positions.has('dev_eui'))
    faults.push(headerMissing(line));
  const unknown = names.filter((name) => name !== '' && !COLUMNS.some((known) => known === name));
  const notices = unknown.length > 0 && faults.length === 0 ? [columnsIgnored(line, unknown)] : [];
  return { positions, width: names.length, faults, notices };
}

const columnTwice = (line: number, column: string): CsvFault => ({
  code: 'COLUMN_TWICE',
  line,
  column,
  message: {
    en: `The column "${column}" stands twice in the header: delete one.`,
    fr: `La colonne « ${column} » figure deux fois dans l'en-tête : supprimez-en une.`,
  },
});

const headerMissing = (line: number): CsvFault => ({
  code: 'HEADER_MISSING',
  line,
  column: '',
  message: {
    en: `The first row must name the columns, "place" or "device" among them: ${COLUMNS.join(', ')}.`,
    fr: `La première ligne doit nommer les colonnes, dont « place » ou « device » : ${COLUMNS.join(', ')}.`,
  },
});

const MAX_NAMED = 10;

function columnsIgnored(line: number, names: readonly string[]): CsvNotice {
  const list = names.slice(0, MAX_NAMED).map(excerpt).join(', ') + (names.length > MAX_NAMED ? ', …' : '');
  return {
    code: 'COLUMNS_IGNORED',
    line,
    message: { en: `Columns that are not known were ignored: ${list}.`, fr: `Colonnes inconnues ignorées : ${list}.` },
  };
}
