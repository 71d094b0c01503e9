import type { Device, Place } from '../../src/model/device.ts';
import type { DeviceKeys } from '../../src/store/store.ts';
import { planImport } from '../../src/store/registry/csv-import.ts';
import { applyChange, type Inventory } from '../../src/store/registry/inventory.ts';

export const EMPTY: Inventory = { places: [], devices: [], assignments: [] };
export const NOW = Date.UTC(2026, 5, 1, 12);
export const OPTIONS = { timezone: 'Europe/Paris', nowMs: NOW };

export const keysOf = (seed: number): DeviceKeys => ({
  appKey: '',
  nwkSKey: (seed + 0x1000).toString(16).padStart(32, 'a'),
  appSKey: (seed + 0x2000).toString(16).padStart(32, 'b'),
});

export const place = (id: string, fields: Partial<Place> = {}): Place => ({
  id,
  name: '',
  latitude: null,
  longitude: null,
  heightM: null,
  tags: [],
  ...fields,
});

export const device = (id: string, fields: Partial<Device> = {}): Device => ({
  id,
  model: '',
  lorawan: null,
  devEui: '',
  joinEui: '',
  devAddr: '',
  relaxedCounter: false,
  codec: '',
  intervalMs: null,
  channels: [],
  ...fields,
});

const bytesOf = (csv: string | Uint8Array): Uint8Array => (typeof csv === 'string' ? Buffer.from(csv) : csv);

export const plan = (csv: string | Uint8Array, current = EMPTY, options: { partial?: boolean } = {}) =>
  planImport(bytesOf(csv), current, { ...OPTIONS, ...options });

/** The inventory after an import that must be faultless. */
export function imported(csv: string | Uint8Array, current = EMPTY): Inventory {
  const { change, faults } = plan(csv, current);
  if (faults.length > 0) throw new Error(JSON.stringify(faults));
  return applyChange(current, change);
}

/** `line:column:code` of each fault. */
export const faultsOf = (csv: string | Uint8Array, current = EMPTY): string[] =>
  plan(csv, current).faults.map(({ line, column, code }) => `${line}:${column}:${code}`);

/** 1300 ABP devices at as many places, as a city's spreadsheet holds them. */
export function cityRows(count: number): string[] {
  return Array.from({ length: count }, (_, n) => {
    const { nwkSKey, appSKey } = keysOf(n);
    const eui = (0x70b3d57ed0000000n + BigInt(n)).toString(16);
    const address = (0x26010000 + n).toString(16);
    return `lieu-${n};Avenue n° ${n};43,51${n % 10};4,98${n % 10};3,5;chaleur|ville;th-${n};TH1;abp;${eui};;;${address};${nwkSKey};${appSKey};vrai;th1;10m;temperature=airTemperature:C|humidity=relativeHumidity:%;2026-03-01;`;
  });
}

export const CITY_HEADER =
  'place;place_name;lat;lon;height_m;tags;device;model;lorawan;dev_eui;join_eui;app_key;dev_addr;nwk_s_key;app_s_key;relaxed_counter;codec;interval;channels;from;to';
