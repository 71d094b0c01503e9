import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface StoredHead {
  /** Greatest id on disk; 0 in an empty log. */
  readonly lastId: number;
  /** What SQLite's own check says: `ok`. */
  readonly integrity: string;
}

/** Looks into a copy of a store that nobody has open, as plain SQLite and without the gateway's code. */
export function storedHead(dataDir: string): StoredHead {
  const folder = mkdtempSync(join(tmpdir(), 'cigale-look-'));
  try {
    for (const name of ['cigale.db', 'cigale.db-wal'])
      if (existsSync(join(dataDir, name))) copyFileSync(join(dataDir, name), join(folder, name));
    const database = new DatabaseSync(join(folder, 'cigale.db'));
    const head = database.prepare('SELECT coalesce(max(first_id + count - 1), 0) AS id FROM log').get();
    const check = database.prepare('PRAGMA integrity_check(1)').get();
    database.close();
    return { lastId: Number(head?.['id']), integrity: String(check?.['integrity_check']) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
