import { isDeepStrictEqual } from 'node:util';
import type { Assignment, Device, Place } from '../../model/device.ts';
import type { DeviceKeys } from '../store.ts';
import type { ColumnName } from './csv-columns.ts';
import type { CsvFault } from './csv-faults.ts';
import type { RowDraft } from './csv-row.ts';
import { type Inventory, NO_KEYS, assignmentKey } from './inventory.ts';

/** Which entries a row spoke of, once its ids were resolved; null where it spoke of none. */
export interface RowSubjects {
  readonly line: number;
  readonly place: string | null;
  readonly device: string | null;
  readonly assignment: string | null;
}

type KeyedDevice = Inventory['devices'][number];

const COLUMN_OF: Readonly<Record<string, ColumnName>> = {
  name: 'place_name',
  latitude: 'lat',
  longitude: 'lon',
  heightM: 'height_m',
  tags: 'tags',
  model: 'model',
  lorawan: 'lorawan',
  devEui: 'dev_eui',
  joinEui: 'join_eui',
  devAddr: 'dev_addr',
  relaxedCounter: 'relaxed_counter',
  codec: 'codec',
  intervalMs: 'interval',
  channels: 'channels',
  appKey: 'app_key',
  nwkSKey: 'nwk_s_key',
  appSKey: 'app_s_key',
  to: 'to',
};

const newPlace = (id: string): Place => ({ id, name: '', latitude: null, longitude: null, heightM: null, tags: [] });

const newDevice = (id: string): Device => ({
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
});

/**
 * The standing inventory with the rows of a file laid over it, row by row. What the file says twice must be the same
 * both times: of two different values neither is the obvious one.
 */
export class CsvMerge {
  readonly places: Map<string, Place>;
  readonly devices: Map<string, KeyedDevice>;
  readonly assignments: Map<string, Assignment>;
  readonly rows: RowSubjects[] = [];
  readonly #nowMs: number;
  readonly #deviceByEui: Map<string, string>;
  /** Keys of assignments by place and device. */
  readonly #byPair = new Map<string, Set<string>>();
  readonly #said = new Map<string, { readonly line: number; readonly value: unknown }>();

  constructor(standing: Inventory, nowMs: number) {
    this.places = new Map(standing.places.map((place) => [place.id, place]));
    this.devices = new Map(standing.devices.map((entry) => [entry.device.id, entry]));
    this.assignments = new Map();
    this.#deviceByEui = new Map(standing.devices.map(({ device }) => [device.devEui, device.id]));
    this.#nowMs = nowMs;
    for (const entry of standing.assignments) this.#setAssignment(entry);
  }

  get inventory(): Inventory {
    return {
      places: [...this.places.values()],
      devices: [...this.devices.values()],
      assignments: [...this.assignments.values()],
    };
  }

  /** Lays a row over what stands. A row that contradicts an earlier one changes nothing. */
  add(draft: RowDraft): CsvFault[] {
    const place = draft.placeId === '' ? null : draft.placeId;
    const device = this.#deviceOf(draft);
    const entry = place === null || device === null ? null : this.#assignmentOf(draft, place, device);
    const assignment = entry === null ? null : assignmentKey(entry);
    const statements = [
      ...statementsOf(`place ${place}`, draft.place),
      ...statementsOf(`device ${device}`, { ...draft.device, ...draft.keys }),
      ...statementsOf(`assignment ${assignment}`, draft.to === undefined ? {} : { to: draft.to }),
    ];
    const faults = statements.flatMap((statement) => this.#contradiction(draft.line, statement));
    if (faults.length > 0) return faults;
    for (const { key, value } of statements) this.#said.set(key, { line: draft.line, value });
    if (place !== null) this.places.set(place, { ...(this.places.get(place) ?? newPlace(place)), ...draft.place });
    if (device !== null) this.#setDevice(device, draft);
    if (entry !== null) this.#setAssignment(entry);
    this.rows.push({ line: draft.line, place, device, assignment });
    return [];
  }

  /** A row without `device` means the device of its EUI; a new one is named after it. */
  #deviceOf({ deviceId, device }: RowDraft): string | null {
    if (deviceId !== '') return deviceId;
    return device.devEui === undefined ? null : (this.#deviceByEui.get(device.devEui) ?? device.devEui);
  }

  /** Without `from`: the assignment that is open, else the latest, else a new one that begins now. */
  #assignmentOf({ from, to }: RowDraft, place: string, device: string): Assignment {
    const standing =
      from === undefined ? this.#latest(place, device) : this.assignments.get(assignmentKey({ place, device, from }));
    return { place, device, from: from ?? standing?.from ?? this.#nowMs, to: to ?? standing?.to ?? null };
  }

  #latest(place: string, device: string): Assignment | undefined {
    let latest: Assignment | undefined;
    for (const key of this.#byPair.get(pairKey(place, device)) ?? []) {
      const entry = this.assignments.get(key);
      if (entry !== undefined && (latest === undefined || endOf(entry) > endOf(latest))) latest = entry;
    }
    return latest;
  }

  #setDevice(id: string, draft: RowDraft): void {
    const standing = this.devices.get(id) ?? { device: newDevice(id), keys: NO_KEYS };
    const device = { ...standing.device, ...draft.device };
    const keys: DeviceKeys = { ...standing.keys, ...draft.keys };
    this.devices.set(id, { device, keys });
    if (device.devEui !== '') this.#deviceByEui.set(device.devEui, id);
  }

  #setAssignment(entry: Assignment): void {
    const key = assignmentKey(entry);
    const pair = pairKey(entry.place, entry.device);
    const siblings = this.#byPair.get(pair);
    if (siblings === undefined) this.#byPair.set(pair, new Set([key]));
    else siblings.add(key);
    this.assignments.set(key, entry);
  }

  #contradiction(line: number, { key, field, value }: Statement): CsvFault[] {
    const said = this.#said.get(key);
    if (said === undefined || isDeepStrictEqual(said.value, value)) return [];
    const column = COLUMN_OF[field] ?? '';
    const en = `Line ${said.line} gives another "${column}" for the same entry: make them equal, or leave one empty.`;
    const fr = `La ligne ${said.line} donne une autre valeur de « ${column} » pour la même entrée : rendez-les égales, ou laissez-en une vide.`;
    return [{ code: 'CONTRADICTION', line, column, message: { en, fr } }];
  }
}

/** What a row says of one field of one entry. */
interface Statement {
  readonly key: string;
  readonly field: string;
  readonly value: unknown;
}

const statementsOf = (entry: string, fields: object): Statement[] =>
  Object.entries(fields).map(([field, value]) => ({ key: `${entry}\u001f${field}`, field, value }));

const pairKey = (place: string, device: string): string => `${place}\u001f${device}`;

const endOf = (entry: Assignment): number => entry.to ?? Number.POSITIVE_INFINITY;
