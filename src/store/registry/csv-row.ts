import type { Device, Place } from '../../model/device.ts';
import type { DeviceKeys } from '../store.ts';
import {
  type CellContext,
  parseId,
  parseInstant,
  parseInterval,
  parseLorawan,
  parseNumber,
  parseTags,
  parseText,
  parseYesNo,
} from './csv-cells.ts';
import { parseChannels } from './csv-channels.ts';
import type { ColumnName, Header } from './csv-columns.ts';
import type { Cell, CsvFault } from './csv-faults.ts';
import { DEV_ADDR, EUI, KEY, parseHex } from './csv-hex.ts';
import type { CsvRow } from './csv-reader.ts';

/** What one row says; what its cells leave empty is absent. */
export interface RowDraft {
  readonly line: number;
  /** Empty: the row is about a device that hangs nowhere. */
  readonly placeId: string;
  /** Empty: the row is about a place alone, or names its device by `dev_eui`. */
  readonly deviceId: string;
  readonly place: Partial<Omit<Place, 'id'>>;
  readonly device: Partial<Omit<Device, 'id'>>;
  readonly keys: Partial<DeviceKeys>;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** Reads every cell of a row, so that all that is wrong with it is told at once. */
export function readRow(row: CsvRow, header: Header, context: CellContext): { draft: RowDraft; faults: CsvFault[] } {
  const faults: CsvFault[] = [];
  const read = <T>(column: ColumnName, parse: (text: string, context: CellContext) => Cell<T>): T | undefined => {
    const text = row.cells[header.positions.get(column) ?? -1]?.trim() ?? '';
    if (text === '') return undefined;
    const cell = parse(text, context);
    if ('value' in cell) return cell.value;
    faults.push({ ...cell.fault, line: row.line, column });
    return undefined;
  };
  const draft: RowDraft = {
    line: row.line,
    placeId: read('place', parseId) ?? '',
    deviceId: read('device', parseId) ?? '',
    place: given({
      name: read('place_name', parseText),
      latitude: read('lat', parseNumber(-90, 90)),
      longitude: read('lon', parseNumber(-180, 180)),
      heightM: read('height_m', parseNumber(-500, 9000)),
      tags: read('tags', parseTags),
    }),
    device: given({
      model: read('model', parseText),
      lorawan: read('lorawan', parseLorawan),
      devEui: read('dev_eui', (text) => parseHex(text, EUI)),
      joinEui: read('join_eui', (text) => parseHex(text, EUI)),
      devAddr: read('dev_addr', (text) => parseHex(text, DEV_ADDR)),
      relaxedCounter: read('relaxed_counter', parseYesNo),
      codec: read('codec', parseText),
      intervalMs: read('interval', parseInterval),
      channels: read('channels', parseChannels),
    }),
    keys: given({
      appKey: read('app_key', (text) => parseHex(text, KEY)),
      nwkSKey: read('nwk_s_key', (text) => parseHex(text, KEY)),
      appSKey: read('app_s_key', (text) => parseHex(text, KEY)),
    }),
    from: read('from', parseInstant),
    to: read('to', parseInstant),
  };
  faults.push(...shapeFaults(row, header, draft, faults));
  return { draft, faults };
}

/** What is wrong with the row as a whole. */
function shapeFaults(row: CsvRow, header: Header, draft: RowDraft, cellFaults: readonly CsvFault[]): CsvFault[] {
  const fault = (code: CsvFault['code'], column: string, en: string, fr: string): CsvFault[] => [
    { code, line: row.line, column, message: { en, fr } },
  ];
  if (row.cells.slice(header.width).some((cell) => cell.trim() !== '')) {
    return fault(
      'TOO_MANY_CELLS',
      '',
      `The row has ${row.cells.length} cells, the header ${header.width}: put quotation marks around a value that holds the separator.`,
      `La ligne a ${row.cells.length} cellules, l'en-tête ${header.width} : mettez entre guillemets une valeur qui contient le séparateur.`,
    );
  }
  const isNameless = draft.placeId === '' && draft.deviceId === '' && draft.device.devEui === undefined;
  if (isNameless && !cellFaults.some(({ column }) => ['place', 'device', 'dev_eui'].includes(column))) {
    return fault(
      'ID_MISSING',
      'place',
      'Name a place, a device or both.',
      'Indiquez un lieu, un appareil ou les deux.',
    );
  }
  const hasDevice = draft.deviceId !== '' || draft.device.devEui !== undefined;
  if (!(draft.placeId !== '' && hasDevice) && cellFaults.length === 0 && (draft.from ?? draft.to) !== undefined) {
    return fault(
      'PERIOD_WITHOUT_ASSIGNMENT',
      draft.from === undefined ? 'to' : 'from',
      'A period needs both a place and a device.',
      'Une période demande à la fois un lieu et un appareil.',
    );
  }
  if (draft.from !== undefined && draft.to !== undefined && draft.to <= draft.from) {
    return fault('PERIOD_REVERSED', 'to', '"to" must be later than "from".', '« to » doit être postérieur à « from ».');
  }
  return [];
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the fields that are undefined: an empty cell keeps what stands. */
const given = <T extends object>(fields: T): Given<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>;
