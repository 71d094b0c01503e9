import { GatewayError } from '../runtime/errors.ts';
import type { Driver } from './driver.ts';
import { FIRST_SCHEMA } from './schema.ts';

/** What leads from each schema version to the next; step N leaves `user_version` N + 1. Steps are never changed once shipped. */
export const MIGRATIONS: readonly (readonly string[])[] = [FIRST_SCHEMA];

/** A file with tables and no version has lost its version: throws STORE_CORRUPT. */
async function assertEmpty(driver: Driver): Promise<void> {
  const tables = await driver.read('SELECT 1 FROM sqlite_schema LIMIT 1');
  if (tables.length > 0) throw new GatewayError('STORE_CORRUPT', 'the store has tables and no version');
}

/** Brings the file to the newest version: each step with its version number in one transaction, so old or new, never between. */
export async function migrate(driver: Driver, steps: readonly (readonly string[])[] = MIGRATIONS): Promise<void> {
  const [row] = await driver.read('PRAGMA user_version');
  const found = Number(row?.['user_version'] ?? 0);
  if (found > steps.length) {
    throw new GatewayError('STORE_TOO_NEW', 'the store was written by a newer version', {
      context: { found, known: steps.length },
    });
  }
  if (found === 0) await assertEmpty(driver);
  for (const [index, step] of steps.entries()) {
    if (index < found) continue;
    const statements = [...step, `PRAGMA user_version = ${index + 1}`].map((sql) => ({ sql, params: [] }));
    await driver.transaction(statements);
  }
}
