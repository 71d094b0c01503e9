import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { memoryLog } from '../fakes/silent-log.ts';
import { type Driver, DRIVER_NAMES, type DriverName } from '../../src/store/driver.ts';
import { connectorOf } from '../../src/store/open-driver.ts';
import { scan } from '../../src/store/tolerant-scan.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const ROWS = 400;
const PAGE_BYTES = 1024;
/** Byte of a page that says what it is, and where an interior page of a table has its last child ("Database File Format" §1.6). */
const INTERIOR = 0x05;
const RIGHT_MOST_AT = 8;
const CELLS_FROM = 12;

/** A file whose table `t` spans many pages under one interior page; gives where that page begins. */
async function manyPages(name: DriverName, path: string): Promise<number> {
  const connect = await connectorOf(name, memoryLog());
  const driver = await connect(path);
  await driver.read(`PRAGMA page_size = ${PAGE_BYTES}`);
  await driver.transaction([
    { sql: 'CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)', params: [] },
    {
      sql: `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS}) INSERT INTO t SELECT i, hex(zeroblob(40)) FROM n`,
      params: [],
    },
  ]);
  const [root] = await driver.read(`SELECT rootpage FROM sqlite_schema WHERE name = 't'`);
  await driver.close();
  return (Number(root?.['rootpage']) - 1) * PAGE_BYTES;
}

async function read(name: DriverName, path: string): Promise<{ ids: number[]; isComplete: boolean }> {
  const connect = await connectorOf(name, memoryLog());
  const driver: Driver = await connect(path);
  onTestFinished(() => driver.close());
  const outcome = { isComplete: true };
  const ids: number[] = [];
  for await (const rows of scan(driver, { name: 't', key: ['rowid'] }, outcome)) {
    for (const row of rows) ids.push(Number(row['id']));
    if (ids.length > 10 * ROWS) throw new Error('it goes round in circles');
  }
  return { ids, isComplete: outcome.isComplete };
}

describe.each(DRIVER_NAMES)('reading a damaged table, on %s', (name) => {
  it.each(['first', 'last'])('ends, with all other rows, when the %s page is another one again', async (which) => {
    const path = join(await temporaryDirectory(), 't.db');
    const rootAt = await manyPages(name, path);
    const bytes = await readFile(path);
    expect(bytes[rootAt]).toBe(INTERIOR);
    const firstCell = rootAt + bytes.readUInt16BE(rootAt + CELLS_FROM);
    const [to, from] = which === 'last' ? [rootAt + RIGHT_MOST_AT, firstCell] : [firstCell, rootAt + RIGHT_MOST_AT];
    bytes.copy(bytes, to, from, from + 4);
    await writeFile(path, bytes);
    const { ids, isComplete } = await read(name, path);
    expect(isComplete).toBe(false);
    const lost = Array.from({ length: ROWS }, (_, index) => index + 1).filter((id) => !ids.includes(id));
    expect(lost.length).toBeLessThan(PAGE_BYTES / 80);
  });

  it('gives all of a sound table', async () => {
    const path = join(await temporaryDirectory(), 't.db');
    await manyPages(name, path);
    const { ids, isComplete } = await read(name, path);
    expect(isComplete).toBe(true);
    expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: ROWS }, (_, index) => index + 1));
  });
});
