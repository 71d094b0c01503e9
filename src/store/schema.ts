import { REGISTRY_SCHEMA } from './registry/schema.ts';

/**
 * Tables of the first version. Tables that grow with the data have an integer key that rises with time and no other index:
 * a commit then touches the last pages only. Blobs stand last, so that the columns before them are read without them.
 */
export const FIRST_SCHEMA: readonly string[] = [
  'CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID',
  `CREATE TABLE log (
    first_id INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    min_at INTEGER NOT NULL,
    max_at INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    data BLOB NOT NULL
  ) STRICT`,
  `CREATE TABLE segment (
    first_id INTEGER PRIMARY KEY,
    last_id INTEGER NOT NULL,
    min_at INTEGER NOT NULL,
    max_at INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE uplink (
    id INTEGER PRIMARY KEY,
    result TEXT,
    device TEXT NOT NULL,
    dev_addr TEXT NOT NULL,
    f_cnt INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    reception TEXT NOT NULL,
    phy_payload BLOB NOT NULL
  ) STRICT`,
  `CREATE TABLE session_counter (
    device TEXT NOT NULL PRIMARY KEY,
    dev_addr TEXT NOT NULL,
    next_fcnt_up INTEGER NOT NULL
  ) STRICT`,
  'CREATE TABLE window_series (id INTEGER PRIMARY KEY, key TEXT NOT NULL) STRICT',
  `CREATE TABLE window (
    start INTEGER NOT NULL,
    series INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (start, series)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE stream (
    ref INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    dropped INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    acked_to INTEGER NOT NULL,
    live_from INTEGER NOT NULL,
    backlog TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE batch (
    key INTEGER PRIMARY KEY,
    epoch TEXT NOT NULL,
    lane TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    record_count INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    encoding TEXT NOT NULL,
    body BLOB NOT NULL
  ) STRICT`,
  // Apart from `batch`: an UPDATE there would write the body a second time.
  'CREATE TABLE acknowledgement (key INTEGER PRIMARY KEY, acked_at INTEGER NOT NULL) STRICT',
  `CREATE TABLE parked (
    key INTEGER PRIMARY KEY,
    epoch TEXT NOT NULL,
    record_id TEXT NOT NULL,
    natural_key TEXT NOT NULL,
    reason INTEGER,
    parked_at INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT`,
  `CREATE TABLE flow (
    version INTEGER PRIMARY KEY,
    checksum TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    origin TEXT NOT NULL,
    json TEXT NOT NULL
  ) STRICT`,
  'CREATE TABLE flow_origin (origin TEXT NOT NULL PRIMARY KEY, checksum TEXT NOT NULL) STRICT',
  'CREATE TABLE compiled_plan (id INTEGER PRIMARY KEY, key TEXT NOT NULL, plan TEXT NOT NULL) STRICT',
  'CREATE TABLE credential (id INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT',
  ...REGISTRY_SCHEMA,
];
