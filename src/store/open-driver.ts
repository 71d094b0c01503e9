import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GatewayError, messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { type ConnectDriver, DRIVER_NAMES, type Driver, type DriverName } from './driver.ts';
import { configure } from './pragmas.ts';
import { refuseBrokenVersion } from './sqlite-versions.ts';

export interface OpenDriverOptions {
  /** The database file; its directory is made, for its owner only, when it does not exist. */
  readonly path: string;
  /** Forces a library; undefined: sqlite3 where it loads and is sound, else node:sqlite. */
  readonly driver?: DriverName | undefined;
  readonly pageSizeBytes?: number | undefined;
  readonly log: Log;
}

/** Opens the file with the library that was asked for, or the one that is there, and takes its lock. */
export async function openDriver(options: OpenDriverOptions): Promise<Driver> {
  await makeDirectory(dirname(options.path));
  const connect = await connectorOf(options.driver, options.log);
  const driver = await connect(options.path);
  try {
    await configure(driver, options.pageSizeBytes);
    return driver;
  } catch (error) {
    await driver.close();
    throw error;
  }
}

/** The library that `CIGALE_SQLITE_DRIVER` names, or undefined when it is not set. */
export function driverFromEnvironment(environment: NodeJS.ProcessEnv): DriverName | undefined {
  const asked = environment['CIGALE_SQLITE_DRIVER'];
  if (asked === undefined || asked === '') return undefined;
  const name = DRIVER_NAMES.find((known) => known === asked);
  if (name !== undefined) return name;
  throw new GatewayError('STORE_OPEN_FAILED', `CIGALE_SQLITE_DRIVER is "${asked}": use ${DRIVER_NAMES.join(' or ')}`);
}

/**
 * How the library that was asked for, or the one that is there and sound, connects to a file. Throws STORE_OPEN_FAILED or
 * STORE_SQLITE_REFUSED where the one that was asked for does not serve.
 */
export async function connectorOf(name: DriverName | undefined, log: Log): Promise<ConnectDriver> {
  if (name === 'node:sqlite') return nodeSqlite();
  try {
    const { default: library } = await import('sqlite3');
    refuseBrokenVersion(library.VERSION);
  } catch (error) {
    if (name === 'sqlite3') throw asRefusal(error);
    log.warn({ error: messageOf(error) }, "the library sqlite3 does not serve: Node's own SQLite is used");
    return nodeSqlite();
  }
  const { connectSqlite3 } = await import('./driver-sqlite3.ts');
  return connectSqlite3;
}

const asRefusal = (error: unknown): GatewayError =>
  error instanceof GatewayError
    ? error
    : new GatewayError('STORE_OPEN_FAILED', 'the library sqlite3 does not load', { cause: error });

async function nodeSqlite(): Promise<ConnectDriver> {
  const { connectNodeSqlite } = await import('./driver-node-sqlite.ts');
  return connectNodeSqlite;
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new GatewayError('STORE_OPEN_FAILED', messageOf(error), { context: { path }, cause: error });
  }
}
