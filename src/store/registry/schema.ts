/**
 * Tables of the registry. Lists (`tags`, `channels`) are JSON, keys are blobs of the `Vault` (null: not given).
 * Rules over several rows (one EUI once, no device at two places at once) are checked before writing, not declared here:
 * a constraint that fails inside a group commit would take other writers' records with it.
 */
export const REGISTRY_SCHEMA: readonly string[] = [
  `CREATE TABLE place (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    latitude REAL,
    longitude REAL,
    height_m REAL,
    tags TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE device (
    id TEXT NOT NULL PRIMARY KEY,
    model TEXT NOT NULL,
    lorawan TEXT,
    dev_eui TEXT NOT NULL,
    join_eui TEXT NOT NULL,
    dev_addr TEXT NOT NULL,
    relaxed_counter INTEGER NOT NULL,
    codec TEXT NOT NULL,
    interval_ms INTEGER,
    channels TEXT NOT NULL,
    app_key BLOB,
    nwk_s_key BLOB,
    app_s_key BLOB
  ) STRICT`,
  `CREATE TABLE assignment (
    place TEXT NOT NULL,
    device TEXT NOT NULL,
    from_at INTEGER NOT NULL,
    to_at INTEGER,
    PRIMARY KEY (place, device, from_at)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE codec (
    name TEXT NOT NULL PRIMARY KEY,
    script TEXT NOT NULL,
    added_at INTEGER NOT NULL
  ) STRICT`,
];
