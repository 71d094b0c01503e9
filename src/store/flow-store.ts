import { createHash } from 'node:crypto';
import { readMeta, writeMeta } from './meta.ts';
import { GatewayError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { Database, Row, Statement } from './database.ts';
import type { Vault } from './registry/vault.ts';
import type { FlowStore, FlowVersion } from './store.ts';

/** Versions kept; the oldest go first. */
export const MAX_FLOW_VERSIONS = 200;

type Credentials = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Names the place of the sealed value, so that it opens nowhere else. */
const VAULT_CONTEXT = 'flow-credentials';

/** Versions of the flow, and the credentials of its nodes under the vault's key. */
export class SqliteFlows implements FlowStore {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #log: Log;
  /** Saves go one after the other: each is compared with what the one before left. */
  #lastSave: Promise<unknown> = Promise.resolve();

  constructor(database: Database, vault: Vault, log: Log) {
    this.#database = database;
    this.#vault = vault;
    this.#log = log;
  }

  async flowVersions(limit: number): Promise<readonly FlowVersion[]> {
    const sql = 'SELECT version, checksum, author, created_at, origin FROM flow ORDER BY version DESC LIMIT ?';
    return (await this.#database.read(sql, [limit])).map(versionOf);
  }

  async flow(version: number): Promise<{ readonly version: FlowVersion; readonly json: string } | undefined> {
    const [row] = await this.#database.read('SELECT * FROM flow WHERE version = ?', [version]);
    if (row === undefined) return undefined;
    if (isFlowWhole(row)) return { version: versionOf(row), json: String(row['json']) };
    this.#log.error({ version }, 'a stored flow is damaged: it is not used');
    return undefined;
  }

  saveFlow(json: string, author: string, origin: string, nowMs: number): Promise<FlowVersion> {
    const saved = this.#lastSave.then(() => this.#save(json, author, origin, nowMs));
    // The next save waits for this one but does not share its failure, which its own caller gets.
    this.#lastSave = Promise.allSettled([saved]);
    return saved;
  }

  async lastLoaded(origin: string): Promise<string | undefined> {
    const [row] = await this.#database.read('SELECT checksum FROM flow_origin WHERE origin = ?', [origin]);
    return row === undefined ? undefined : String(row['checksum']);
  }

  async compiledPlan(): Promise<{ readonly key: string; readonly plan: string } | undefined> {
    const [row] = await this.#database.read('SELECT key, plan FROM compiled_plan WHERE id = 1');
    if (row === undefined) return undefined;
    const [key = '', checksum] = String(row['key']).split(' ');
    const plan = String(row['plan']);
    if (checksum === checksumOf(plan)) return { key, plan };
    this.#log.warn({}, 'the stored plan is damaged: the flow is compiled again');
    return undefined;
  }

  async saveCompiledPlan(key: string, plan: string): Promise<void> {
    const sql = 'INSERT OR REPLACE INTO compiled_plan (id, key, plan) VALUES (1, ?, ?)';
    await this.#database.write([{ sql, params: [`${key} ${checksumOf(plan)}`, plan] }], 'now');
  }

  gatewayId(): Promise<string | undefined> {
    return readMeta(this.#database, 'gateway_id');
  }

  async saveGatewayId(gateway: string): Promise<void> {
    await this.#database.write([writeMeta('gateway_id', gateway)], 'now');
  }

  async credentials(): Promise<Credentials> {
    const [row] = await this.#database.read('SELECT sealed FROM credential WHERE id = 1');
    const sealed = row?.['sealed'];
    if (!(sealed instanceof Uint8Array)) return {};
    try {
      return JSON.parse(this.#vault.open(sealed, VAULT_CONTEXT)) as Credentials;
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'SECRET_UNREADABLE') throw error;
      // A gateway without its passwords still measures and keeps; one that does not start does neither.
      this.#log.error({ error: error.message }, 'the stored credentials cannot be read: set them again');
      return {};
    }
  }

  async saveCredentials(credentials: Credentials): Promise<void> {
    const sealed = this.#vault.seal(JSON.stringify(credentials), VAULT_CONTEXT);
    const sql = 'INSERT OR REPLACE INTO credential (id, sealed) VALUES (1, ?)';
    await this.#database.write([{ sql, params: [sealed] }], 'now');
  }

  async #save(json: string, author: string, origin: string, nowMs: number): Promise<FlowVersion> {
    const checksum = checksumOf(json);
    const [newest] = await this.flowVersions(1);
    // A damaged version is none: the same text makes a new one.
    const isSame = newest?.checksum === checksum && (await this.flow(newest.version)) !== undefined;
    const version = isSame
      ? newest
      : { version: (newest?.version ?? 0) + 1, checksum, author, createdAt: nowMs, origin };
    const statements = [...(isSame ? [] : insertVersion(version, json)), ...markLoaded(origin, checksum)];
    if (statements.length > 0) await this.#database.write(statements, 'now');
    return version;
  }
}

const checksumOf = (json: string): string => createHash('sha256').update(json).digest('hex');

/** A flow row carries the checksum of its text. */
export const isFlowWhole = (row: Row): boolean => checksumOf(String(row['json'])) === row['checksum'];

const versionOf = (row: Row): FlowVersion => ({
  version: Number(row['version']),
  checksum: String(row['checksum']),
  author: String(row['author']),
  createdAt: Number(row['created_at']),
  origin: String(row['origin']),
});

const insertVersion = ({ version, checksum, author, createdAt, origin }: FlowVersion, json: string): Statement[] => [
  {
    sql: 'INSERT OR REPLACE INTO flow (version, checksum, author, created_at, origin, json) VALUES (?, ?, ?, ?, ?, ?)',
    params: [version, checksum, author, createdAt, origin, json],
  },
  { sql: 'DELETE FROM flow WHERE version <= ?', params: [version - MAX_FLOW_VERSIONS] },
];

const markLoaded = (origin: string, checksum: string): Statement[] =>
  origin === ''
    ? []
    : [{ sql: 'INSERT OR REPLACE INTO flow_origin (origin, checksum) VALUES (?, ?)', params: [origin, checksum] }];
