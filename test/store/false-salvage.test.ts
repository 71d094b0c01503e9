import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { GatewayError } from '../../src/runtime/errors.ts';
import { DamagedFiles } from '../../src/store/damaged-files.ts';
import { giveUp, knownDamage } from '../../src/store/damage.ts';
import { type ConnectDriver, DRIVER_NAMES, type DriverName } from '../../src/store/driver.ts';
import { connectorOf, openDriver } from '../../src/store/open-driver.ts';
import { patientReads } from '../../src/store/patient-reads.ts';
import { salvage } from '../../src/store/salvage.ts';
import { Suspicion } from '../../src/store/suspicion.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { fill, flip, sizeOf } from './salvage-fixture.ts';
import { StoreFixture, all } from './store-fixture.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const COMMITS = 24;

/** A closed store that is sound. */
async function soundStore(driver: DriverName): Promise<{ fixture: StoreFixture; epoch: string; suspicion: Suspicion }> {
  const fixture = await StoreFixture.create(driver);
  const store = await fixture.open();
  await fill(store, COMMITS);
  await store.stop();
  await fixture.clock.advance(1000);
  return { fixture, epoch: store.epoch, suspicion: new Suspicion(fixture.dataDir) };
}

const aside = async (dataDir: string): Promise<readonly string[]> =>
  (await readdir(dataDir)).filter((name) => name.startsWith('damaged-'));

const fault = (code: 'STORE_IO' | 'STORE_OPEN_FAILED' | 'STORE_CORRUPT', resultCode = 10): GatewayError =>
  new GatewayError(code, 'injected', { context: { resultCode } });

describe.each(DRIVER_NAMES)('a store that was called damaged while it ran, on %s', (driver) => {
  it('is opened as it was when a full check finds it sound', async () => {
    const { fixture, epoch, suspicion } = await soundStore(driver);
    await suspicion.report(fixture.clock.nowMs());
    const store = await fixture.open();
    expect(store.epoch).toBe(epoch);
    expect(await all(store)).toHaveLength(COMMITS * 10);
    expect(await aside(fixture.dataDir)).toEqual([]);
    expect(await suspicion.verdict()).toBe('none');
  });

  it('is set aside when the check finds a damage that opening does not', async () => {
    const { fixture, epoch, suspicion } = await soundStore(driver);
    const path = join(fixture.dataDir, 'cigale.db');
    // Somewhere in the pages between the first and the last tables: one of them is no page any more.
    const pages = Math.floor((await sizeOf(path)) / 1024);
    for (let page = Math.floor(pages / 3); page < pages / 3 + 8; page += 1) await flip(path, page * 1024, 7);
    await suspicion.report(fixture.clock.nowMs());
    const store = await fixture.open();
    expect(store.epoch).not.toBe(epoch);
    expect(await suspicion.verdict()).toBe('none');
    expect((await aside(fixture.dataDir)).length).toBe(1);
  });

  it('is set aside when it was called so three times within an hour, whatever the check says', async () => {
    const { fixture, epoch, suspicion } = await soundStore(driver);
    for (const _ of [1, 2, 3]) await suspicion.report(fixture.clock.nowMs());
    const store = await fixture.open();
    expect(store.epoch).not.toBe(epoch);
    expect((await store.status()).salvage).toMatchObject({ lostRecords: 0, records: COMMITS * 10 });
    expect(await suspicion.verdict()).toBe('none');
  });
});

describe('what a gateway leaves for the next start', () => {
  const parts = async () => {
    const dataDir = await temporaryDirectory();
    const notes = { files: new DamagedFiles(dataDir), suspicion: new Suspicion(dataDir) };
    let ends = 0;
    const leave = async (error: GatewayError): Promise<void> => {
      await giveUp({ ...notes, clock: new ManualClock(1000), log: memoryLog(), onDamaged: () => (ends += 1) }, error);
      expect(ends).toBe(1);
    };
    return { ...notes, dataDir, leave };
  };

  it('is a check, when SQLite called the file damaged', async () => {
    const { files, suspicion, leave } = await parts();
    await leave(fault('STORE_CORRUPT', 11));
    expect(await files.marked()).toBeUndefined();
    expect(await suspicion.verdict()).toBe('check');
  });

  it('is nothing, when another process used the store meanwhile', async () => {
    const { dataDir, leave } = await parts();
    await leave(new GatewayError('STORE_CORRUPT', 'foreign', { context: { isForeign: true } }));
    expect(await readdir(dataDir)).toEqual([]);
  });

  it('is a mark, when the file is an earlier one: then no check finds anything', async () => {
    const { files, suspicion, leave } = await parts();
    await leave(new GatewayError('STORE_CORRUPT', 'earlier', { context: { isForeign: false } }));
    expect(await files.marked()).toMatch(/^damaged-1970/);
    expect(await suspicion.verdict()).toBe('none');
  });

  it('does not add up over days', async () => {
    const { suspicion } = await parts();
    for (let day = 0; day < 5; day += 1) await suspicion.report(day * 86_400_000);
    expect(await suspicion.verdict()).toBe('check');
  });

  it('stays a question when the disk fails during the check', async () => {
    const { fixture, suspicion } = await soundStore('sqlite3');
    await suspicion.report(0);
    const files = new DamagedFiles(fixture.dataDir);
    const path = join(fixture.dataDir, 'cigale.db');
    const refused = knownDamage(files, suspicion, path, () => Promise.reject(fault('STORE_IO')));
    await expect(refused).rejects.toMatchObject({ code: 'STORE_IO' });
    expect(await suspicion.verdict()).toBe('check');
    expect(await knownDamage(files, suspicion, path, () => openDriver({ path, log: memoryLog() }))).toBeNull();
  });
});

describe('a disk that fails while a damaged store is salvaged', () => {
  it('loses nothing: the salvage ends at the next start', async () => {
    const { fixture, epoch } = await soundStore('sqlite3');
    const { dataDir, clock, log } = fixture;
    const real = await connectorOf('sqlite3', log);
    let calls = 0;
    // The second connection, to the damaged file, finds no file descriptor left.
    const connect: ConnectDriver = (path) => {
      calls += 1;
      return calls === 2 ? Promise.reject(fault('STORE_OPEN_FAILED', 14)) : real(path);
    };
    const files = new DamagedFiles(dataDir);
    const notes = { notedHead: () => Promise.resolve(0), madeAt: () => Promise.resolve(null) };
    const parts = { files, connect, clock, random: () => 0.5, log, ...notes };
    await expect(salvage(parts, 'test')).rejects.toMatchObject({ code: 'STORE_OPEN_FAILED' });
    await expect(stat(join(dataDir, 'cigale.db'))).rejects.toThrow('ENOENT');
    const store = await fixture.open();
    expect(store.epoch).not.toBe(epoch);
    expect(await all(store)).toHaveLength(COMMITS * 10);
    expect((await store.status()).salvage).toMatchObject({ lostRecords: 0 });
  });

  it('makes a read wait and try again, and only so often; a damage is none the truer for it', async () => {
    const path = join(await temporaryDirectory(), 'cigale.db');
    const real = await openDriver({ path, driver: 'sqlite3', log: memoryLog() });
    onTestFinished(() => real.close());
    const faults: GatewayError[] = [fault('STORE_IO'), fault('STORE_IO', 14)];
    let calls = 0;
    const failing = Object.create(real, {
      read: {
        value: (sql: string) => {
          calls += 1;
          const next = faults.shift();
          return next === undefined ? real.read(sql) : Promise.reject(next);
        },
      },
    }) as typeof real;
    const immediate = { ...systemClock, after: (_ms: number, action: () => void) => systemClock.after(0, action) };
    const patient = patientReads(failing, immediate);
    expect(await patient.read('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(calls).toBe(3);
    faults.push(fault('STORE_CORRUPT', 11));
    await expect(patient.read('SELECT 1')).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(calls).toBe(4);
    faults.push(...Array.from({ length: 100 }, () => fault('STORE_IO')));
    await expect(patient.read('SELECT 1')).rejects.toMatchObject({ code: 'STORE_IO' });
    expect(calls).toBeLessThan(30);
  });
});
