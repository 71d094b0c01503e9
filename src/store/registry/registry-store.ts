import type { Assignment, Device, Place } from '../../model/device.ts';
import { GatewayError, messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { Database, Row, Statement } from '../database.ts';
import type { DeviceKeys, RegistryChange, RegistryStore, Session } from '../store.ts';
import { findConflicts, findDangling } from './conflicts.ts';
import { NO_KEYS, applyChange, assignmentKey } from './inventory.ts';
import { openDeviceKeys, openSessionKeys, sealKeys } from './key-columns.ts';
import { assignmentOf, assignmentParams, codecOf, deviceOf, deviceParams, placeOf, placeParams } from './rows.ts';
import type { Vault } from './vault.ts';

const UPSERT_PLACE = `INSERT INTO place (id, name, latitude, longitude, height_m, tags) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET name = excluded.name, latitude = excluded.latitude, longitude = excluded.longitude,
    height_m = excluded.height_m, tags = excluded.tags`;

/** A key that is not given stays. */
const UPSERT_DEVICE = `INSERT INTO device (id, model, lorawan, dev_eui, join_eui, dev_addr, relaxed_counter, codec,
    interval_ms, channels, app_key, nwk_s_key, app_s_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET model = excluded.model, lorawan = excluded.lorawan, dev_eui = excluded.dev_eui,
    join_eui = excluded.join_eui, dev_addr = excluded.dev_addr, relaxed_counter = excluded.relaxed_counter,
    codec = excluded.codec, interval_ms = excluded.interval_ms, channels = excluded.channels,
    app_key = COALESCE(excluded.app_key, app_key), nwk_s_key = COALESCE(excluded.nwk_s_key, nwk_s_key),
    app_s_key = COALESCE(excluded.app_s_key, app_s_key)`;

const UPSERT_ASSIGNMENT = `INSERT INTO assignment (place, device, from_at, to_at) VALUES (?, ?, ?, ?)
  ON CONFLICT (place, device, from_at) DO UPDATE SET to_at = excluded.to_at`;

const UPSERT_CODEC = `INSERT INTO codec (name, script, added_at) VALUES (?, ?, ?)
  ON CONFLICT (name) DO UPDATE SET script = excluded.script, added_at = excluded.added_at`;

/** A new network key begins a new session: counting from the old one would refuse its first frames as replays. */
const FORGET_COUNTER = 'DELETE FROM session_counter WHERE device = ?';

/** A counter belongs to one session: under another DevAddr counting starts at 0. */
const SELECT_SESSIONS = `SELECT d.id, d.dev_addr, d.relaxed_counter, d.nwk_s_key, d.app_s_key,
    COALESCE(c.next_fcnt_up, 0) AS next_fcnt_up
  FROM device d LEFT JOIN session_counter c ON c.device = d.id AND c.dev_addr = d.dev_addr
  WHERE d.lorawan IS NOT NULL AND d.dev_addr <> '' AND d.nwk_s_key IS NOT NULL AND d.app_s_key IS NOT NULL
  ORDER BY d.id`;

interface Lists {
  readonly places: readonly Place[];
  readonly devices: readonly Device[];
  readonly assignments: readonly Assignment[];
}

/** The registry in the store's database. Its lists are read often and changed by hand, so they are kept in memory. */
export class SqliteRegistry implements RegistryStore {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #log: Log;
  readonly #listeners = new Set<() => void>();
  #lists: Promise<Lists> | undefined;
  /** Changes go one after the other: each is checked against what the one before left. */
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor(database: Database, vault: Vault, log: Log) {
    this.#database = database;
    this.#vault = vault;
    this.#log = log;
  }

  async places(): Promise<readonly Place[]> {
    return (await this.#read()).places;
  }

  async devices(): Promise<readonly Device[]> {
    return (await this.#read()).devices;
  }

  async assignments(): Promise<readonly Assignment[]> {
    return (await this.#read()).assignments;
  }

  async deviceKeys(device: string): Promise<DeviceKeys | undefined> {
    const sql = 'SELECT app_key, nwk_s_key, app_s_key FROM device WHERE id = ?';
    const [row] = await this.#database.read(sql, [device]);
    return row === undefined ? undefined : openDeviceKeys(this.#vault, device, row);
  }

  async sessions(): Promise<readonly Session[]> {
    const rows = await this.#database.read(SELECT_SESSIONS);
    return rows.map((row) => this.#sessionOf(row)).filter((session) => session !== undefined);
  }

  applyRegistry(change: RegistryChange): Promise<void> {
    const applied = this.#lastChange.then(() => this.#apply(change));
    // The next change waits for this one but does not share its failure, which its own caller gets.
    this.#lastChange = Promise.allSettled([applied]);
    return applied;
  }

  onRegistryChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async codecs(): Promise<readonly { readonly name: string; readonly script: string; readonly addedAt: number }[]> {
    const rows = await this.#database.read('SELECT name, script, added_at FROM codec ORDER BY name');
    return rows.map(codecOf);
  }

  /** Also tells the listeners: devices of that codec decode differently from now on. */
  async saveCodec(name: string, script: string, nowMs: number): Promise<void> {
    await this.#database.write([{ sql: UPSERT_CODEC, params: [name, script, nowMs] }], 'now');
    this.#notify();
  }

  async #apply(change: RegistryChange): Promise<void> {
    const standingKeys = await this.#allKeys();
    await this.#check(change, standingKeys);
    const rekeyed = change.devices.filter(
      ({ device, keys }) => keys.nwkSKey !== '' && keys.nwkSKey !== standingKeys.get(device.id)?.nwkSKey,
    );
    await this.#database.write(
      [
        ...change.places.map((place): Statement => ({ sql: UPSERT_PLACE, params: placeParams(place) })),
        ...change.devices.map(({ device, keys }): Statement => ({
          sql: UPSERT_DEVICE,
          params: [...deviceParams(device), ...sealKeys(this.#vault, device.id, keys)],
        })),
        ...change.assignments.map((entry): Statement => ({ sql: UPSERT_ASSIGNMENT, params: assignmentParams(entry) })),
        ...rekeyed.map(({ device }): Statement => ({ sql: FORGET_COUNTER, params: [device.id] })),
      ],
      'now',
    );
    this.#notify();
  }

  /** Refuses a change that would break a rule over several entries; what was already broken does not block repairs elsewhere. */
  async #check(change: RegistryChange, standingKeys: ReadonlyMap<string, DeviceKeys>): Promise<void> {
    const { places, devices, assignments } = await this.#read();
    const keyed = devices.map((device) => ({ device, keys: standingKeys.get(device.id) ?? NO_KEYS }));
    const after = applyChange({ places, devices: keyed, assignments }, change);
    const dangling = findDangling(after);
    if (dangling !== undefined) {
      const { place, device } = dangling;
      throw new GatewayError('REGISTRY_NOT_FOUND', 'the place or the device of an assignment is not in the registry', {
        context: { place, device },
      });
    }
    const touched = new Set([
      ...change.devices.map(({ device }) => device.id),
      ...change.assignments.map((entry) => assignmentKey(entry)),
    ]);
    const conflict = findConflicts(after).find(({ subject, other }) => touched.has(subject) || touched.has(other));
    if (conflict === undefined) return;
    throw new GatewayError('REGISTRY_CONFLICT', 'the change contradicts the registry', {
      context: { kind: conflict.kind, subject: readable(conflict.subject), other: readable(conflict.other) },
    });
  }

  async #allKeys(): Promise<ReadonlyMap<string, DeviceKeys>> {
    const rows = await this.#database.read(
      'SELECT id, app_key, nwk_s_key, app_s_key FROM device WHERE nwk_s_key IS NOT NULL',
    );
    const keys = new Map<string, DeviceKeys>();
    for (const row of rows) {
      const device = String(row['id']);
      const opened = this.#orLogged(device, () => openDeviceKeys(this.#vault, device, row));
      if (opened !== undefined) keys.set(device, opened);
    }
    return keys;
  }

  #sessionOf(row: Row): Session | undefined {
    const device = String(row['id']);
    const keys = this.#orLogged(device, () => openSessionKeys(this.#vault, device, row));
    if (keys === undefined) return undefined;
    return {
      device,
      devAddr: String(row['dev_addr']),
      keys,
      nextFCntUp: Number(row['next_fcnt_up']),
      relaxedCounter: row['relaxed_counter'] === 1,
    };
  }

  /** One device whose key does not open must not silence the others. */
  #orLogged<T>(device: string, open: () => T): T | undefined {
    try {
      return open();
    } catch (error) {
      this.#log.error(
        { device, error: messageOf(error) },
        "a device's keys cannot be read: its frames are not accepted",
      );
      return undefined;
    }
  }

  /** The promise itself is kept, so that a read that began before a change cannot bring its old lists back after it. */
  #read(): Promise<Lists> {
    this.#lists ??= this.#load().catch((error: unknown) => {
      this.#lists = undefined;
      throw error;
    });
    return this.#lists;
  }

  async #load(): Promise<Lists> {
    const [places, devices, assignments] = await Promise.all([
      this.#database.read('SELECT * FROM place ORDER BY id'),
      this.#database.read('SELECT * FROM device ORDER BY id'),
      this.#database.read('SELECT * FROM assignment ORDER BY place, from_at, device'),
    ]);
    return {
      places: places.map(placeOf),
      devices: devices.map(deviceOf),
      assignments: assignments.map(assignmentOf),
    };
  }

  #notify(): void {
    this.#lists = undefined;
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (error) {
        this.#log.error({ error: messageOf(error) }, 'a listener of the registry failed');
      }
    }
  }
}

/** Assignment keys hold a control character that has no place in a message. */
const readable = (key: string): string => key.replaceAll('\u001f', ' ');
