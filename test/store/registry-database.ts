import { DatabaseSync } from 'node:sqlite';
import type { Database, Row, SqlValue, Statement } from '../../src/store/database.ts';
import { REGISTRY_SCHEMA } from '../../src/store/registry/schema.ts';

/** The smallest real database that the registry can stand on: its tables and the session counter that it joins. */
export function registryDatabase(path: string): Database & { close(): void } {
  const sqlite = new DatabaseSync(path);
  sqlite.exec('PRAGMA journal_mode = WAL');
  const known = sqlite.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'place'").get();
  if (known?.['n'] === 0) {
    for (const sql of REGISTRY_SCHEMA) sqlite.exec(sql);
    sqlite.exec(
      'CREATE TABLE session_counter (device TEXT PRIMARY KEY, dev_addr TEXT NOT NULL, next_fcnt_up INTEGER NOT NULL) STRICT',
    );
  }
  return {
    read: (sql: string, params: readonly SqlValue[] = []) =>
      Promise.resolve(sqlite.prepare(sql).all(...params) as unknown as readonly Row[]),
    write(statements: readonly Statement[]) {
      sqlite.exec('BEGIN IMMEDIATE');
      try {
        for (const { sql, params } of statements) sqlite.prepare(sql).run(...params);
        sqlite.exec('COMMIT');
        return Promise.resolve();
      } catch (error) {
        sqlite.exec('ROLLBACK');
        return Promise.reject(error);
      }
    },
    close: () => sqlite.close(),
  };
}
