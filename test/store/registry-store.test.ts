import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planImport } from '../../src/store/registry/csv-import.ts';
import { readInventory } from '../../src/store/registry/inventory.ts';
import { SqliteRegistry } from '../../src/store/registry/registry-store.ts';
import { Vault } from '../../src/store/registry/vault.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { registryDatabase } from './registry-database.ts';
import { CITY_HEADER, EMPTY, OPTIONS, cityRows, device, imported, keysOf, place } from './registry-inventory.ts';

const abp = (id: string, seed: number) => ({
  device: device(id, {
    lorawan: 'abp',
    devAddr: (0x26010000 + seed).toString(16),
    devEui: seed.toString(16).padStart(16, '0'),
  }),
  keys: keysOf(seed),
});

describe('the registry in the store', () => {
  let folder: string;
  let database: ReturnType<typeof registryDatabase>;
  let vault: Vault;
  let registry: SqliteRegistry;
  const log = memoryLog();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registry-'));
    database = registryDatabase(join(folder, 'store.db'));
    vault = await Vault.open(folder);
    registry = new SqliteRegistry(database, vault, log);
    log.lines.length = 0;
  });
  afterEach(async () => {
    database.close();
    await rm(folder, { recursive: true });
  });

  const count = (next: number, id: string, address: string) =>
    database.write([{ sql: 'INSERT OR REPLACE INTO session_counter VALUES (?, ?, ?)', params: [id, address, next] }]);

  it('gives back a whole import, also after a restart', async () => {
    const before = imported([CITY_HEADER, ...cityRows(1300)].join('\n'));
    await registry.applyRegistry(before);
    const restarted = new SqliteRegistry(database, await Vault.open(folder), log);
    const after = await readInventory(restarted);
    expect(after.places).toHaveLength(1300);
    expect(new Map(after.places.map((entry) => [entry.id, entry]))).toEqual(
      new Map(before.places.map((entry) => [entry.id, entry])),
    );
    expect(new Map(after.devices.map((entry) => [entry.device.id, entry]))).toEqual(
      new Map(before.devices.map((entry) => [entry.device.id, entry])),
    );
    expect(after.assignments).toHaveLength(1300);
    expect(await restarted.sessions()).toHaveLength(1300);
    const again = planImport(Buffer.from([CITY_HEADER, ...cityRows(1300)].join('\n')), after, OPTIONS);
    expect(again.change).toEqual(EMPTY);
  });

  it('never writes a key in clear to the database files', async () => {
    const change = { ...EMPTY, devices: [{ ...abp('d1', 1), keys: { ...keysOf(1), appKey: 'c'.repeat(32) } }] };
    await registry.applyRegistry(change);
    const { nwkSKey, appSKey, appKey } = change.devices[0]!.keys;
    const files = (await readdir(folder)).filter((name) => name.startsWith('store.db'));
    const written = Buffer.concat(await Promise.all(files.map((name) => readFile(join(folder, name)))));
    const holds = (secret: string | Buffer): boolean => written.indexOf(secret) !== -1;
    expect(holds('26010001')).toBe(true);
    for (const key of [nwkSKey, appSKey, appKey]) {
      expect(holds(key)).toBe(false);
      expect(holds(key.toUpperCase())).toBe(false);
      expect(holds(Buffer.from(key, 'hex'))).toBe(false);
      expect(holds(Buffer.from(key).toString('base64'))).toBe(false);
    }
    expect(await registry.deviceKeys('d1')).toEqual({ nwkSKey, appSKey, appKey });
    expect(JSON.stringify(log.lines)).not.toContain(nwkSKey);
  });

  it('keeps a key that a change does not give', async () => {
    await registry.applyRegistry({ ...EMPTY, devices: [abp('d1', 1)] });
    const renamed = { ...abp('d1', 1).device, model: 'M2' };
    await registry.applyRegistry({
      ...EMPTY,
      devices: [{ device: renamed, keys: { appKey: '', nwkSKey: '', appSKey: '' } }],
    });
    expect(await registry.devices()).toEqual([renamed]);
    expect(await registry.deviceKeys('d1')).toEqual(keysOf(1));
    expect(await registry.deviceKeys('nobody')).toBeUndefined();
  });

  it('gives a session for every LoRaWAN device with address and both keys, OTAA with given keys too', async () => {
    await registry.applyRegistry({
      ...EMPTY,
      devices: [
        abp('abp', 1),
        { device: device('joined', { lorawan: 'otaa', devEui: 'e'.repeat(16), devAddr: '26019999' }), keys: keysOf(2) },
        {
          device: device('unjoined', { lorawan: 'otaa', devEui: 'f'.repeat(16) }),
          keys: { ...keysOf(3), nwkSKey: '' },
        },
        { device: device('serial'), keys: { appKey: '', nwkSKey: '', appSKey: '' } },
      ],
    });
    await count(42, 'abp', '26010001');
    await count(7, 'joined', '00000000');
    const { appKey: _, ...keys } = keysOf(1);
    const sessions = await registry.sessions();
    expect(sessions.map((session) => [session.device, session.nextFCntUp])).toEqual([
      ['abp', 42],
      ['joined', 0],
    ]);
    expect(sessions[0]).toEqual({ device: 'abp', devAddr: '26010001', keys, nextFCntUp: 42, relaxedCounter: false });
  });

  it('begins counting again under a new network key, and only then', async () => {
    await registry.applyRegistry({ ...EMPTY, devices: [abp('d1', 1)] });
    await count(42, 'd1', '26010001');
    await registry.applyRegistry({ ...EMPTY, devices: [abp('d1', 1)] });
    expect((await registry.sessions())[0]?.nextFCntUp).toBe(42);
    await registry.applyRegistry({ ...EMPTY, devices: [{ ...abp('d1', 1), keys: keysOf(9) }] });
    expect((await registry.sessions())[0]?.nextFCntUp).toBe(0);
  });

  it('leaves out, and logs, a device whose key does not open; the others work and it can be given new keys', async () => {
    await registry.applyRegistry({ ...EMPTY, devices: [abp('d1', 1), abp('d2', 2)] });
    await database.write([{ sql: "UPDATE device SET nwk_s_key = x'00ff' WHERE id = 'd1'", params: [] }]);
    expect((await registry.sessions()).map((session) => session.device)).toEqual(['d2']);
    expect(log.lines).toMatchObject([{ level: 'error', facts: { device: 'd1' } }]);
    await expect(registry.deviceKeys('d1')).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' });
    expect((await readInventory(registry)).devices).toHaveLength(2);
    await registry.applyRegistry({ ...EMPTY, devices: [abp('d1', 1)] });
    expect(await registry.sessions()).toHaveLength(2);
  });

  it('does not open a key that was copied into the row of another device', async () => {
    await registry.applyRegistry({ ...EMPTY, devices: [abp('d1', 1), abp('d2', 2)] });
    await database.write([
      {
        sql: "UPDATE device SET nwk_s_key = (SELECT nwk_s_key FROM device WHERE id = 'd2') WHERE id = 'd1'",
        params: [],
      },
    ]);
    await expect(registry.deviceKeys('d1')).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' });
  });

  it('refuses a change that contradicts the registry, and writes nothing of it', async () => {
    await registry.applyRegistry({ ...EMPTY, places: [place('hv'), place('sq')], devices: [abp('d1', 1)] });
    const attempts = [
      [
        { ...EMPTY, places: [place('new')], assignments: [{ place: 'hv', device: 'ghost', from: 0, to: null }] },
        'REGISTRY_NOT_FOUND',
      ],
      [
        { ...EMPTY, places: [place('new')], assignments: [{ place: 'ghost', device: 'd1', from: 0, to: null }] },
        'REGISTRY_NOT_FOUND',
      ],
      [{ ...EMPTY, places: [place('new')], devices: [{ ...abp('d2', 1), keys: keysOf(2) }] }, 'REGISTRY_CONFLICT'],
      [
        {
          ...EMPTY,
          places: [place('new')],
          assignments: [
            { place: 'hv', device: 'd1', from: 0, to: null },
            { place: 'sq', device: 'd1', from: 5, to: null },
          ],
        },
        'REGISTRY_CONFLICT',
      ],
    ] as const;
    for (const [change, code] of attempts) {
      await expect(registry.applyRegistry(change)).rejects.toMatchObject({ code });
    }
    expect((await registry.places()).map(({ id }) => id)).toEqual(['hv', 'sq']);
  });

  it('checks concurrent changes one after the other', async () => {
    const results = await Promise.allSettled([
      registry.applyRegistry({ ...EMPTY, devices: [abp('d1', 1)] }),
      registry.applyRegistry({ ...EMPTY, devices: [{ ...abp('d2', 1), keys: keysOf(5) }] }),
      registry.applyRegistry({ ...EMPTY, devices: [abp('d3', 3)] }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await registry.devices()).map(({ id }) => id)).toEqual(['d1', 'd3']);
  });

  it('shows a change to every read that begins after it, and tells the listeners', async () => {
    let calls = 0;
    const unsubscribe = registry.onRegistryChanged(() => calls++);
    const early = registry.places();
    await registry.applyRegistry({ ...EMPTY, places: [place('hv')] });
    expect(await early).toEqual([]);
    expect(await registry.places()).toEqual([place('hv')]);
    await registry.saveCodec('th1', 'function decodeUplink() {}', 5);
    expect(calls).toBe(2);
    unsubscribe();
    await registry.saveCodec('th1', 'function decodeUplink(input) {}', 6);
    expect(calls).toBe(2);
    expect(await registry.codecs()).toEqual([{ name: 'th1', script: 'function decodeUplink(input) {}', addedAt: 6 }]);
  });

  it('goes on when a listener fails', async () => {
    registry.onRegistryChanged(() => {
      throw new Error('listener');
    });
    await registry.applyRegistry({ ...EMPTY, places: [place('hv')] });
    expect(log.lines).toMatchObject([{ level: 'error', facts: { error: 'listener' } }]);
  });
});
