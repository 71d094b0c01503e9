import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DRIVER_NAMES, type DriverName } from '../../src/store/driver.ts';
import { MIGRATIONS, migrate } from '../../src/store/migrations.ts';
import { openDriver } from '../../src/store/open-driver.ts';
import { ulid, ulidTimeMs } from '../../src/store/ulid.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { temporaryDirectory } from './temporary-directory.ts';

async function fresh(name: DriverName) {
  const driver = await openDriver({
    path: join(await temporaryDirectory(), 'cigale.db'),
    driver: name,
    log: memoryLog(),
  });
  onTestFinished(() => driver.close());
  return driver;
}

describe.each(DRIVER_NAMES)('migrations on %s', (name) => {
  it('run each missing step once', async () => {
    const driver = await fresh(name);
    await migrate(driver, [['CREATE TABLE a(x)']]);
    await migrate(driver, [['CREATE TABLE a(x)'], ['CREATE TABLE b(x)', 'INSERT INTO b VALUES (1)']]);
    await migrate(driver, [['CREATE TABLE a(x)'], ['CREATE TABLE b(x)', 'INSERT INTO b VALUES (1)']]);
    expect(await driver.read('SELECT x FROM b')).toEqual([{ x: 1 }]);
    expect(await driver.read('PRAGMA user_version')).toEqual([{ user_version: 2 }]);
  });

  it('leave the version before when a step fails: old or new, never between', async () => {
    const driver = await fresh(name);
    await migrate(driver, [['CREATE TABLE a(x)']]);
    await expect(migrate(driver, [[], ['CREATE TABLE b(x)', 'CREATE TABLE a(x)']])).rejects.toMatchObject({
      code: 'INTERNAL',
    });
    expect(await driver.read('PRAGMA user_version')).toEqual([{ user_version: 1 }]);
    expect(await driver.read("SELECT name FROM sqlite_schema WHERE name = 'b'")).toEqual([]);
  });

  it('refuse a store of a newer version with STORE_TOO_NEW', async () => {
    const driver = await fresh(name);
    await driver.transaction([{ sql: `PRAGMA user_version = ${MIGRATIONS.length + 1}`, params: [] }]);
    await expect(migrate(driver)).rejects.toMatchObject({ code: 'STORE_TOO_NEW' });
  });
});

describe('a ULID', () => {
  it('holds the time in its first ten characters and sorts by it', () => {
    expect(ulid(1_469_918_176_385, () => 0)).toBe('01ARYZ6S410000000000000000');
    expect(ulidTimeMs('01ARYZ6S410000000000000000')).toBe(1_469_918_176_385);
    expect(ulid(0, () => 0.999)).toBe('0000000000ZZZZZZZZZZZZZZZZ');
    expect(ulid(1000, () => 0.9) < ulid(1001, () => 0)).toBe(true);
  });
});
