import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DRIVER_NAMES } from '../../src/store/driver.ts';
import { driverFromEnvironment, openDriver } from '../../src/store/open-driver.ts';
import { faultOfVersion, refuseBrokenVersion } from '../../src/store/sqlite-versions.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { driverContract } from './driver-contract.ts';
import { entry } from './records.ts';
import { StoreFixture, all, ids } from './store-fixture.ts';
import { temporaryDirectory } from './temporary-directory.ts';

for (const name of DRIVER_NAMES) driverContract(name);

describe('a store', () => {
  it.each([
    ['sqlite3', 'node:sqlite'],
    ['node:sqlite', 'sqlite3'],
  ] as const)('that %s wrote is read and continued by %s', async (one, other) => {
    const writer = await StoreFixture.create(one);
    const store = await writer.open();
    store.drain();
    await store.append([entry(0), entry(1)]);
    await store.stop();
    const next = await new StoreFixture(writer.dataDir, other).open();
    next.drain();
    expect(next.epoch).toBe(store.epoch);
    expect(ids(await next.append([entry(2)]))).toEqual([3]);
    expect((await all(next)).map(({ record }) => record)).toEqual([0, 1, 2].map((index) => entry(index).record));
  });
});

describe('the choice of the SQL library', () => {
  it.each(['3.7.0', '3.40.1', '3.44.2', '3.44.5', '3.45.0', '3.50.6', '3.51.0', '3.51.2'])(
    'refuses SQLite %s, which has the WAL-reset bug',
    (version) => {
      expect(() => refuseBrokenVersion(version)).toThrow(expect.objectContaining({ code: 'STORE_SQLITE_REFUSED' }));
    },
  );

  it.each(['3.6.23', '3.44.6', '3.50.7', '3.51.3', '3.52.0', '3.53.4', '4.0.0'])('takes SQLite %s', (version) => {
    expect(() => refuseBrokenVersion(version)).not.toThrow();
  });

  it('says which bug a refused SQLite has, and what to use instead', () => {
    expect(() => refuseBrokenVersion('3.44.2')).toThrow(
      'SQLite 3.44.2 has the WAL-reset bug (3.7.0 to 3.51.2): use 3.51.3 or newer',
    );
  });

  it.each(DRIVER_NAMES)('finds the SQLite that %s brings sound', async (name) => {
    const driver = await openDriver({
      path: join(await temporaryDirectory(), 'cigale.db'),
      driver: name,
      log: memoryLog(),
    });
    onTestFinished(() => driver.close());
    expect(faultOfVersion(driver.sqliteVersion)).toBeNull();
  });

  it('is forced by CIGALE_SQLITE_DRIVER, and an unknown name is an error', () => {
    expect(driverFromEnvironment({})).toBeUndefined();
    expect(driverFromEnvironment({ CIGALE_SQLITE_DRIVER: 'node:sqlite' })).toBe('node:sqlite');
    expect(() => driverFromEnvironment({ CIGALE_SQLITE_DRIVER: 'oracle' })).toThrow('oracle');
  });
});
