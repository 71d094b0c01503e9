import { join } from 'node:path';
import type { NewEntry } from '../model/record.ts';
import { GatewayError, messageOf } from '../runtime/errors.ts';
import { background } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import { BlockCache } from './block-cache.ts';
import { BlockDirectory } from './block-directory.ts';
import { CommitQueue } from './commit-queue.ts';
import { DamagedBlocks } from './damaged-blocks.ts';
import { DamagedFiles } from './damaged-files.ts';
import { type DamageNotes, type Owner, giveUp, isDamage, knownDamage, reconnect } from './damage.ts';
import { DiskLimit } from './disk-limit.ts';
import type { Driver } from './driver.ts';
import { epochOf } from './epoch.ts';
import { MAX_FLOW_VERSIONS, SqliteFlows } from './flow-store.ts';
import { HighWater } from './high-water.ts';
import { SqliteLife } from './life-store.ts';
import { LogReader } from './log-reader.ts';
import { LogWriter } from './log-writer.ts';
import { Maintenance } from './maintenance.ts';
import { readMeta, writeMeta } from './meta.ts';
import { migrate } from './migrations.ts';
import { assertNumbering } from './numbering-check.ts';
import type { OpenStoreOptions } from './open-options.ts';
import { connectorOf, driverFromEnvironment, openDriver } from './open-driver.ts';
import { SqliteOutbox } from './outbox-store.ts';
import { ReopeningDriver } from './reopening-driver.ts';
import { Retiming } from './retiming.ts';
import { salvage } from './salvage.ts';
import { SqliteRegistry } from './registry/registry-store.ts';
import { Vault } from './registry/vault.ts';
import type { SalvageReport } from './salvage-report.ts';
import type { LogRange, Store, StoreStatus, Urgency } from './store.ts';
import { SpaceMeter } from './space-meter.ts';
import { spaceKeeper } from './space.ts';
import { ThinningGate } from './thinning-gate.ts';
import { ulid } from './ulid.ts';
import { Suspicion } from './suspicion.ts';
import { SqliteUplinks } from './uplink-store.ts';
import { SqliteWindows } from './window-store.ts';

/**
 * Opens the store and takes its lock: STORE_LOCKED when another gateway has it, STORE_TOO_NEW, STORE_OPEN_FAILED. A damaged store
 * is set aside whole, and one made of what can be read of it is opened instead, under a new epoch.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { dataDir, log, metrics } = options;
  const path = join(dataDir, 'cigale.db');
  const files = new DamagedFiles(dataDir);
  const suspicion = new Suspicion(dataDir);
  const name = options.driver ?? driverFromEnvironment(process.env);
  const connect = await connectorOf(name, log);
  const restore = async (cause: string): Promise<void> => {
    metrics.count('cigale_store_salvages_total', 'Damaged stores that were set aside and salvaged.');
    const notes = {
      notedHead: (epoch: string) => HighWater.read(dataDir, epoch),
      madeAt: () => HighWater.madeAt(dataDir),
    };
    await salvage({ files, connect, clock: options.clock, random: options.random, log, ...notes }, cause);
    await suspicion.forget();
  };
  const damage = await knownDamage(files, suspicion, path, () => openDriver({ path, driver: name, log }));
  if (damage !== null) await restore(damage);
  const open = (): Promise<Store> =>
    openSound(options, { ...options, files, suspicion }, () => openDriver({ path, driver: name, log }));
  try {
    return await open();
  } catch (error) {
    if (!isDamage(error)) throw error;
    await restore(messageOf(error));
    return open();
  }
}

async function openSound(
  options: OpenStoreOptions,
  notes: DamageNotes,
  connect: () => Promise<Driver>,
): Promise<SqliteStore> {
  const { clock, dataDir, log, metrics } = options;
  const first = await connect();
  const driver = new ReopeningDriver(first, {
    connect: () => reconnect(join(dataDir, 'cigale.db'), owner, connect),
    onDamaged: (error) => {
      // While it is being opened, the caller gets the fault and salvages at once.
      if (isOpen) background(giveUp(notes, error), log, 'the damaged store was not marked');
    },
    log,
    metrics,
  });
  let owner: Owner = { token: ulid(clock.nowMs(), Math.random), before: undefined };
  let isOpen = false;
  try {
    await migrate(driver);
    const epoch = await epochOf(driver, options);
    owner = { ...owner, before: await readMeta(driver, 'opened') };
    await driver.transaction([writeMeta('opened', owner.token)]);
    const store = new SqliteStore(options, driver, epoch, await Vault.open(dataDir));
    await store.load();
    await store.noteHead(dataDir, log);
    isOpen = true;
    log.info({ dataDir, driver: driver.name, sqlite: driver.sqliteVersion, epoch }, 'the store is open');
    return store;
  } catch (error) {
    await driver.close();
    throw error;
  }
}

/** The parts of the store as one; no rule of its own. */
class SqliteStore implements Store {
  readonly epoch: string;
  readonly #driver: ReopeningDriver;
  readonly #queue: CommitQueue;
  readonly #writer: LogWriter;
  readonly #reader: LogReader;
  readonly #retiming: Retiming;
  readonly #uplinks: SqliteUplinks;
  readonly #windows: SqliteWindows;
  readonly #outbox: SqliteOutbox;
  readonly #flows: SqliteFlows;
  readonly #registry: SqliteRegistry;
  readonly #damaged: DamagedBlocks;
  readonly #life: SqliteLife;
  readonly #limit: DiskLimit;
  readonly #gate: ThinningGate;
  readonly #space: SpaceMeter;
  readonly #maintenance: Maintenance;
  #salvage: SalvageReport | null = null;
  #highWater: HighWater | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: OpenStoreOptions, driver: ReopeningDriver, epoch: string, vault: Vault) {
    const { clock, log, metrics, random } = options;
    const cache = new BlockCache();
    const directory = new BlockDirectory();
    const writer = new LogWriter(cache, directory, log);
    const reopen = (): Promise<void> => driver.reopen();
    const limit = new DiskLimit(driver);
    const withReserve = limit.withReserve.bind(limit);
    const queue = new CommitQueue({ driver, planner: writer, clock, log, metrics, random, reopen, withReserve });
    this.epoch = epoch;
    this.#driver = driver;
    this.#queue = queue;
    this.#writer = writer;
    this.#retiming = new Retiming({ queue, cache, directory });
    const gate = new ThinningGate();
    this.#gate = gate;
    const [head, revision] = [() => writer.head(), () => gate.rewrites];
    this.#uplinks = new SqliteUplinks(queue);
    this.#windows = new SqliteWindows(queue);
    this.#outbox = new SqliteOutbox(queue, head, gate);
    const common = { queue, outbox: this.#outbox, clock, log, metrics };
    const damaged = new DamagedBlocks(common);
    this.#damaged = damaged;
    this.#reader = new LogReader({ database: queue, cache, directory, onDamaged: damaged.found, head, revision });
    this.#flows = new SqliteFlows(queue, vault, log);
    this.#registry = new SqliteRegistry(queue, vault, log);
    this.#life = new SqliteLife(queue);
    this.#limit = limit;
    const { finalBelowId = () => Infinity } = options;
    const space = spaceKeeper({ ...common, cache, gate, limit, finalBelowId });
    this.#space = new SpaceMeter({ ...common, limit });
    this.#maintenance = new Maintenance({ ...common, uplinks: this.#uplinks, windows: this.#windows, driver, space });
  }

  async load(): Promise<void> {
    await this.#writer.load(this.#queue);
    await this.#uplinks.load();
    await this.#windows.load();
    await this.#outbox.load();
    await assertNumbering(this.#queue);
    // What is read later at need is read once here: a damage in it is to be found while it can be salvaged.
    await this.#uplinks.undecodedUplinks();
    await Promise.all([this.#registry.places(), this.#registry.codecs(), this.#registry.sessions()]);
    await Promise.all([this.#flows.flowVersions(MAX_FLOW_VERSIONS), this.#flows.credentials()]);
    const report = await readMeta(this.#queue, 'salvage');
    this.#salvage = report === undefined ? null : (JSON.parse(report) as SalvageReport);
  }

  /** Throws STORE_CORRUPT when records that were committed are gone; from now on notes how far the log has got. */
  async noteHead(dataDir: string, log: Log): Promise<void> {
    const head = this.#writer.head();
    const gone = (await HighWater.read(dataDir, this.epoch)) - head;
    if (gone > 0)
      throw new GatewayError('STORE_CORRUPT', `${gone} records that were committed are gone from the store`);
    const highWater = await HighWater.open(dataDir, this.epoch, log);
    this.#highWater = highWater;
    highWater.note(head);
    this.#writer.onCommitted(() => highWater.note(this.#writer.head()));
  }

  async start(): Promise<void> {
    this.#maintenance.start();
  }

  drain(): void {
    this.#queue.drain();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  setCommitInterval(ms: number): void {
    this.#queue.setCommitInterval(ms);
  }

  setDiskLimit(megabytes: number | null): Promise<void> {
    return this.#limit.set(megabytes);
  }

  async status(): Promise<StoreStatus> {
    return {
      driver: this.#driver.name,
      sqliteVersion: this.#driver.sqliteVersion,
      epoch: this.epoch,
      ...(await this.#limit.usage()),
      space: await this.#space.measure(),
      records: this.#writer.head() - 1,
      pendingEntries: this.#queue.pendingEntries,
      fault: this.#queue.fault,
      salvage: this.#salvage,
    };
  }

  append: Store['append'] = (entries: readonly NewEntry[], urgency: Urgency = 'interval') =>
    this.#queue.append(entries, [], urgency);
  head: Store['head'] = () => this.#writer.head();
  revision: Store['revision'] = () => this.#gate.revision;
  read: Store['read'] = (from, limit) => this.#reader.read(from, limit);
  readRange: Store['readRange'] = (range: LogRange) => this.#reader.readRange(range);
  onCommitted: Store['onCommitted'] = (listener) => this.#writer.onCommitted(listener);

  aliveAt: Store['aliveAt'] = () => this.#life.aliveAt();
  saveAliveAt: Store['saveAliveAt'] = (atMs) => this.#life.saveAliveAt(atMs);
  lostSince: Store['lostSince'] = () => this.#life.lostSince();
  forgetLost: Store['forgetLost'] = () => this.#life.forgetLost();

  clockState: Store['clockState'] = () => readMeta(this.#driver, 'clock');
  saveClockState: Store['saveClockState'] = (state) => this.#queue.write([writeMeta('clock', state)], 'now');
  retime: Store['retime'] = (span, stateAfter) => this.#retiming.step(span, stateAfter);

  acceptUplink: Store['acceptUplink'] = (uplink, urgency) => this.#uplinks.acceptUplink(uplink, urgency);
  undecodedUplinks: Store['undecodedUplinks'] = () => this.#uplinks.undecodedUplinks();
  completeUplink: Store['completeUplink'] = (id, outcome) => this.#uplinks.completeUplink(id, outcome);

  aggregateCursor: Store['aggregateCursor'] = () => this.#windows.aggregateCursor();
  findWindow: Store['findWindow'] = (key, start) => this.#windows.findWindow(key, start);
  writeWindows: Store['writeWindows'] = (aggregates, cursor) => this.#windows.writeWindows(aggregates, cursor);

  listStreams: Store['listStreams'] = () => this.#outbox.listStreams();
  openStream: Store['openStream'] = (stream, nowMs) => this.#outbox.openStream(stream, nowMs);
  sealBatch: Store['sealBatch'] = (batch, rest, revision) => this.#outbox.sealBatch(batch, rest, revision);
  replaceBatch: Store['replaceBatch'] = (replacement) => this.#outbox.replaceBatch(replacement);
  parkedRecords: Store['parkedRecords'] = (stream, limit) => this.#outbox.parkedRecords(stream, limit);
  moveStream: Store['moveStream'] = (stream, rest) => this.#outbox.moveStream(stream, rest);
  unacknowledged: Store['unacknowledged'] = (stream, after, limit) => this.#outbox.unacknowledged(stream, after, limit);
  batches: Store['batches'] = (stream, from, to, limit) => this.#outbox.batches(stream, from, to, limit);
  acknowledge: Store['acknowledge'] = (stream, seq, atMs) => this.#outbox.acknowledge(stream, seq, atMs);
  pruneAcknowledged: Store['pruneAcknowledged'] = (beforeMs) => this.#outbox.pruneAcknowledged(beforeMs);
  dropStream: Store['dropStream'] = (stream) => this.#outbox.dropStream(stream);

  flowVersions: Store['flowVersions'] = (limit) => this.#flows.flowVersions(limit);
  flow: Store['flow'] = (version) => this.#flows.flow(version);
  saveFlow: Store['saveFlow'] = (json, author, origin, nowMs) => this.#flows.saveFlow(json, author, origin, nowMs);
  lastLoaded: Store['lastLoaded'] = (origin) => this.#flows.lastLoaded(origin);
  compiledPlan: Store['compiledPlan'] = () => this.#flows.compiledPlan();
  saveCompiledPlan: Store['saveCompiledPlan'] = (key, plan) => this.#flows.saveCompiledPlan(key, plan);
  gatewayId: Store['gatewayId'] = () => this.#flows.gatewayId();
  saveGatewayId: Store['saveGatewayId'] = (gateway) => this.#flows.saveGatewayId(gateway);
  credentials: Store['credentials'] = () => this.#flows.credentials();
  saveCredentials: Store['saveCredentials'] = (credentials) => this.#flows.saveCredentials(credentials);

  places: Store['places'] = () => this.#registry.places();
  devices: Store['devices'] = () => this.#registry.devices();
  assignments: Store['assignments'] = () => this.#registry.assignments();
  deviceKeys: Store['deviceKeys'] = (device) => this.#registry.deviceKeys(device);
  sessions: Store['sessions'] = () => this.#registry.sessions();
  applyRegistry: Store['applyRegistry'] = (change) => this.#registry.applyRegistry(change);
  onRegistryChanged: Store['onRegistryChanged'] = (listener) => this.#registry.onRegistryChanged(listener);
  codecs: Store['codecs'] = () => this.#registry.codecs();
  saveCodec: Store['saveCodec'] = (name, script, nowMs) => this.#registry.saveCodec(name, script, nowMs);

  async #stop(): Promise<void> {
    try {
      await this.#maintenance.stop();
      await this.#damaged.settle();
      await this.#queue.stop();
    } finally {
      await this.#highWater?.close();
      await this.#driver.close();
    }
  }
}
