import { spawnSync } from 'node:child_process';
import { chmod, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { memoryLog } from '../fakes/silent-log.ts';
import type { Driver, DriverName } from '../../src/store/driver.ts';
import { openDriver } from '../../src/store/open-driver.ts';
import { temporaryDirectory } from './temporary-directory.ts';

async function open(name: DriverName, path: string): Promise<Driver> {
  const driver = await openDriver({ path, driver: name, log: memoryLog() });
  onTestFinished(() => driver.close());
  return driver;
}

async function fresh(name: DriverName): Promise<Driver> {
  return open(name, join(await temporaryDirectory(), 'data', 'cigale.db'));
}

const CREATE = { sql: 'CREATE TABLE t(id INTEGER PRIMARY KEY, value ANY, body BLOB)', params: [] };
const insert = (id: number, value: string | number | null, body: Uint8Array | null = null) => ({
  sql: 'INSERT INTO t VALUES (?, ?, ?)',
  params: [id, value, body],
});
const count = async (driver: Driver): Promise<unknown> => (await driver.read('SELECT count(*) AS n FROM t'))[0]?.['n'];

/** What the store relies on, whichever library it stands on. */
export function driverContract(name: DriverName): void {
  describe(`the driver ${name}`, () => {
    it('keeps text, whole numbers up to 2^53, fractions, null and bytes exactly', async () => {
      const driver = await fresh(name);
      const body = new Uint8Array([0, 1, 255, 0]);
      await driver.transaction([
        CREATE,
        insert(2 ** 53 - 1, 'é\u0000🦗'),
        insert(2 ** 31, 61.25, body),
        insert(3, null, new Uint8Array(0)),
        insert(4, -(2 ** 53) + 1),
      ]);
      const rows = await driver.read('SELECT * FROM t WHERE id >= ? ORDER BY id', [3]);
      expect(rows.map((row) => [row['id'], row['value']])).toEqual([
        [3, null],
        [4, -(2 ** 53) + 1],
        [2 ** 31, 61.25],
        [2 ** 53 - 1, 'é\u0000🦗'],
      ]);
      expect(new Uint8Array(rows[2]?.['body'] as Uint8Array)).toEqual(body);
      expect(rows[0]?.['body']).toHaveLength(0);
      expect(rows[1]?.['body']).toBeNull();
    });

    it('finds rows by an integer key above 2^31', async () => {
      const driver = await fresh(name);
      await driver.transaction([CREATE, insert(2 ** 41 + 7, 'far')]);
      expect(await driver.read('SELECT value FROM t WHERE id = ? LIMIT ?', [2 ** 41 + 7, 10])).toEqual([
        { value: 'far' },
      ]);
    });

    it('rolls the whole transaction back when one statement breaks a constraint, and goes on', async () => {
      const driver = await fresh(name);
      await driver.transaction([CREATE, insert(1, 'a')]);
      await expect(driver.transaction([insert(2, 'b'), insert(1, 'again'), insert(3, 'c')])).rejects.toMatchObject({
        code: 'STORE_CONSTRAINT',
      });
      expect(await count(driver)).toBe(1);
      await driver.transaction([insert(2, 'b')]);
      expect(await count(driver)).toBe(2);
    });

    it('calls a statement that is no SQL a fault of ours, in a read and in a transaction', async () => {
      const driver = await fresh(name);
      await expect(driver.read('SELEC')).rejects.toMatchObject({ code: 'INTERNAL' });
      await expect(driver.transaction([CREATE, { sql: 'NO', params: [] }])).rejects.toMatchObject({ code: 'INTERNAL' });
      await driver.transaction([CREATE]);
    });

    it('shows a read the transactions asked for before it, whole', async () => {
      const driver = await fresh(name);
      await driver.transaction([CREATE]);
      const written = driver.transaction([insert(1, 1), insert(2, 2)]);
      const between = count(driver);
      const second = driver.transaction([insert(3, 3), insert(4, 4)]);
      expect(await between).toBe(2);
      await Promise.all([written, second]);
      expect(await count(driver)).toBe(4);
    });

    it('reports a full file as STORE_FULL, and takes writes again once rows were deleted', async () => {
      const driver = await fresh(name);
      await driver.transaction([CREATE]);
      await driver.read('PRAGMA max_page_count = 64');
      const body = new Uint8Array(8 * 1024).fill(7);
      let id = 0;
      const fill = async (): Promise<void> => {
        for (; id < 100; id += 1) await driver.transaction([insert(id, null, body)]);
      };
      await expect(fill()).rejects.toMatchObject({ code: 'STORE_FULL' });
      expect(await count(driver)).toBe(id);
      await driver.transaction([{ sql: 'DELETE FROM t WHERE id < ?', params: [2] }]);
      await driver.transaction([insert(1000, null, body)]);
      expect(await count(driver)).toBe(id - 1);
    });

    it('refuses a file that is no database as STORE_CORRUPT', async () => {
      const path = join(await temporaryDirectory(), 'cigale.db');
      await writeFile(path, 'no database '.repeat(1000));
      await expect(open(name, path)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    });

    it('refuses a directory that cannot be made as STORE_OPEN_FAILED', async () => {
      const file = join(await temporaryDirectory(), 'file');
      await writeFile(file, '');
      await expect(open(name, join(file, 'data', 'cigale.db'))).rejects.toMatchObject({ code: 'STORE_OPEN_FAILED' });
    });

    it('refuses a path that is a directory as STORE_OPEN_FAILED', async () => {
      await expect(open(name, await temporaryDirectory())).rejects.toMatchObject({ code: 'STORE_OPEN_FAILED' });
    });

    it('makes a missing directory for its owner only', async () => {
      const root = await temporaryDirectory();
      await chmod(root, 0o755);
      await open(name, join(root, 'data', 'cigale.db'));
      expect((await stat(join(root, 'data'))).mode & 0o777).toBe(0o700);
    });

    it('gives a second opener STORE_LOCKED and goes on unharmed', async () => {
      const path = join(await temporaryDirectory(), 'cigale.db');
      const driver = await open(name, path);
      await driver.transaction([CREATE, insert(1, 'a')]);
      await expect(open(name, path)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
      for (const other of ['sqlite3', 'node:sqlite']) expect(openInChild(other, path)).toBe('STORE_LOCKED');
      await driver.transaction([insert(2, 'b')]);
      expect(await count(driver)).toBe(2);
      expect(await readdir(join(path, '..'))).not.toContain('cigale.db-shm');
    });

    it('frees the lock when it is closed, keeps the data, and refuses calls after that', async () => {
      const path = join(await temporaryDirectory(), 'cigale.db');
      const first = await open(name, path);
      await first.transaction([CREATE, insert(1, 'a')]);
      await first.close();
      await first.close();
      await expect(first.read('SELECT 1')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
      await expect(first.transaction([])).rejects.toMatchObject({ code: 'STORE_CLOSED' });
      expect(await count(await open(name, path))).toBe(1);
    });

    it('writes through to the disk at each commit, in WAL mode, with a file that can shrink', async () => {
      const driver = await fresh(name);
      const pragma = async (text: string): Promise<unknown> =>
        Object.values((await driver.read(`PRAGMA ${text}`))[0] ?? {})[0];
      expect(await pragma('journal_mode')).toBe('wal');
      expect(await pragma('synchronous')).toBe(2);
      expect(await pragma('auto_vacuum')).toBe(2);
      expect(await pragma('locking_mode')).toBe('exclusive');
    });
  });
}

const CHILD = fileURLToPath(new URL('./open-child.ts', import.meta.url));

/** The lock is between processes, and between two libraries in one process it is not: so the rival is a child. */
const openInChild = (driver: string, path: string): string =>
  spawnSync(process.execPath, [CHILD, path, driver], { encoding: 'utf8' }).stdout;
