import type { Assignment, Device, Place } from '../../model/device.ts';
import { rfc3339 } from '../../runtime/duration.ts';
import type { DeviceKeys } from '../store.ts';
import { formatInterval } from './csv-cells.ts';
import { formatChannels } from './csv-channels.ts';
import { COLUMNS, type ColumnName } from './csv-columns.ts';
import type { Separator } from './csv-reader.ts';
import { type Inventory, NO_KEYS } from './inventory.ts';

export interface ExportOptions {
  /** Write the keys in clear; otherwise their columns stay empty. */
  readonly keys?: boolean;
  /** `;` (the default) opens in a French spreadsheet, decimals then have a comma. */
  readonly separator?: Separator;
}

type Cells = Partial<Record<ColumnName, string>>;

/** Without the mark, Excel reads a UTF-8 file as Windows-1252. */
const BYTE_ORDER_MARK = '\uFEFF';

/** The whole inventory as CSV: importing it into an empty registry gives the same inventory, into the same one no change. */
export function exportCsv(inventory: Inventory, { keys = false, separator = ';' }: ExportOptions = {}): string {
  const lines = rowsOf(inventory, keys, separator).map((cells) =>
    COLUMNS.map((column) => quote(cells[column] ?? '', separator)).join(separator),
  );
  return `${BYTE_ORDER_MARK}${[COLUMNS.join(separator), ...lines].join('\r\n')}\r\n`;
}

/** A row for each assignment, then what hangs nowhere: places without device, devices without place. */
function rowsOf({ places, devices, assignments }: Inventory, withKeys: boolean, separator: Separator): Cells[] {
  const placeCells = new Map(places.map((place) => [place.id, cellsOfPlace(place, separator)]));
  const deviceCells = new Map(
    devices.map(({ device, keys }) => [device.id, cellsOfDevice(device, withKeys ? keys : NO_KEYS)]),
  );
  const usedPlaces = new Set(assignments.map(({ place }) => place));
  const usedDevices = new Set(assignments.map(({ device }) => device));
  const sorted = assignments.toSorted(
    (a, b) => compare(a.place, b.place) || a.from - b.from || compare(a.device, b.device),
  );
  return [
    ...sorted.map((entry) => ({
      ...placeCells.get(entry.place),
      ...deviceCells.get(entry.device),
      ...cellsOfAssignment(entry),
    })),
    ...[...placeCells].filter(([id]) => !usedPlaces.has(id)).map(([, cells]) => cells),
    ...[...deviceCells].filter(([id]) => !usedDevices.has(id)).map(([, cells]) => cells),
  ];
}

const cellsOfPlace = (place: Place, separator: Separator): Cells => ({
  place: place.id,
  place_name: place.name,
  lat: decimal(place.latitude, separator),
  lon: decimal(place.longitude, separator),
  height_m: decimal(place.heightM, separator),
  tags: place.tags.join('|'),
});

const cellsOfDevice = (device: Device, keys: DeviceKeys): Cells => ({
  device: device.id,
  model: device.model,
  lorawan: device.lorawan ?? '',
  dev_eui: device.devEui,
  join_eui: device.joinEui,
  app_key: keys.appKey,
  dev_addr: device.devAddr,
  nwk_s_key: keys.nwkSKey,
  app_s_key: keys.appSKey,
  relaxed_counter: String(device.relaxedCounter),
  codec: device.codec,
  interval: device.intervalMs === null ? '' : formatInterval(device.intervalMs),
  channels: formatChannels(device.channels),
});

const cellsOfAssignment = ({ place, device, from, to }: Assignment): Cells => ({
  place,
  device,
  from: rfc3339(from),
  to: to === null ? '' : rfc3339(to),
});

const decimal = (value: number | null, separator: Separator): string => {
  const text = value === null ? '' : String(value);
  return separator === ';' ? text.replace('.', ',') : text;
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const quote = (text: string, separator: Separator): string =>
  text.includes(separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
