import { statfs } from 'node:fs/promises';
import type { GatewayStatus, StageStatus } from '../api/gateway-port.ts';
import { rfc3339 } from '../model/instant.ts';
import type { NodeStatus } from '../model/status.ts';
import type { Text } from '../model/text.ts';
import { productVersion } from '../runtime/version.ts';
import { DiskForecast, daysLeft, outageDays } from '../health/disk-forecast.ts';
import type { SalvageReport } from '../store/salvage-report.ts';
import type { Store, StoreStatus } from '../store/store.ts';
import type { Deps } from './deps.ts';
import type { FlowControl } from './flow-control.ts';
import { planNodeStatuses } from './node-statuses.ts';
import type { PlanRunner } from './plan-runner.ts';
import { planStages } from './stage-statuses.ts';
import type { ClockStatus } from './timekeeper.ts';

export interface StatusSources {
  readonly store: Store;
  readonly runner: PlanRunner;
  readonly flow: FlowControl;
  readonly deps: Deps;
  readonly dataDir: string;
  readonly clock: () => Promise<ClockStatus>;
  readonly editor: () => { readonly phase: string; readonly url?: string | null } | null;
}

const EDITOR_TEXT: Readonly<Record<string, Text>> = {
  starting: { en: 'starts', fr: 'démarre' },
  ready: { en: 'runs without its page', fr: 'tourne sans sa page' },
  failed: { en: 'ended; it is started again', fr: 's’est arrêté ; il est relancé' },
  stopped: { en: 'is stopped', fr: 'est arrêté' },
};

function editorText(phase: string, url: string | null): Text {
  if (url !== null) return { en: url, fr: url };
  return EDITOR_TEXT[phase] ?? { en: phase, fr: phase };
}

function writesText(salvage: SalvageReport | null): Text {
  if (salvage === null) return { en: 'writes', fr: 'écrit' };
  const at = rfc3339(salvage.at);
  return {
    en: `writes; salvaged on ${at}, at least ${salvage.lostRecords} records lost, damaged files in ${salvage.directory}`,
    fr: `écrit ; récupéré le ${at}, au moins ${salvage.lostRecords} enregistrements perdus, fichiers abîmés dans ${salvage.directory}`,
  };
}

const salvageFacts = (salvage: SalvageReport | null): StageStatus['facts'] =>
  salvage === null
    ? {}
    : {
        salvagedAt: rfc3339(salvage.at),
        salvagedRecords: salvage.records,
        lostRecords: salvage.lostRecords,
        closedSessions: salvage.closedSessions.length,
        damagedDirectory: salvage.directory,
      };

/** What `cigale status`, the page and the editor show, gathered from the parts. */
export class StatusReport {
  readonly #sources: StatusSources;
  readonly #startedMs: number;
  readonly #forecast = new DiskForecast();
  readonly #records = new DiskForecast();

  constructor(sources: StatusSources) {
    this.#sources = sources;
    this.#startedMs = sources.deps.clock.monotonicMs();
  }

  nodes(): readonly NodeStatus[] {
    return planNodeStatuses(this.#sources.runner, this.#sources.deps.clock);
  }

  /** Notes the size of the store, for the forecast: to be called at start and every ten minutes. */
  async observe(): Promise<void> {
    const { bytes, records } = await this.#sources.store.status();
    this.#forecast.observe(bytes, this.#sources.deps.clock.monotonicMs());
    this.#records.observe(records, this.#sources.deps.clock.monotonicMs());
  }

  async status(): Promise<GatewayStatus> {
    const { store, runner, flow, deps, dataDir } = this.#sources;
    const [stored, disk, clock, [newest]] = await Promise.all([
      store.status(),
      statfs(dataDir),
      this.#sources.clock(),
      store.flowVersions(1),
    ]);
    const freeBytes = disk.bavail * disk.bsize;
    this.#gauge(stored.bytes, freeBytes, clock);
    const nowAt = deps.clock.nowMs();
    const senders = runner.forwarding.outboxes().map(({ sender }) => sender.status());
    const oldest = senders.map((one) => one.oldestWaitingAt).filter((at) => at !== null);
    return {
      gateway: flow.plan?.gateway.gateway ?? '',
      version: productVersion(),
      epoch: store.epoch,
      startedAt: rfc3339(Math.max(0, Math.round(nowAt - deps.clock.monotonicMs() + this.#startedMs))),
      flow: { running: flow.runningVersion, stored: newest?.version ?? 0, faults: flow.faults },
      acceptedTotal: deps.metrics.value('cigale_samples_accepted_total'),
      atRiskMs: flow.plan?.gateway.commitIntervalMs ?? 0,
      stages: [...planStages(runner, this.#storeStage(stored)), ...this.#editorStage()],
      nodes: this.nodes(),
      backlog: {
        records: senders.reduce((sum, one) => sum + one.backlogRecords, 0),
        oldestAt: oldest.length === 0 ? null : rfc3339(Math.min(...oldest)),
      },
      clock: { now: rfc3339(nowAt), ...clock },
      disk: this.#disk(stored, freeBytes),
      driver: `${stored.driver} ${stored.sqliteVersion}`,
    };
  }

  #disk({ bytes, limitBytes, records, space }: StoreStatus, freeBytes: number): GatewayStatus['disk'] {
    const roomBytes = Math.min(freeBytes, (limitBytes ?? Number.POSITIVE_INFINITY) - bytes);
    const nowMs = this.#sources.deps.clock.monotonicMs();
    const growthBytesPerDay = this.#forecast.growthPerDay(bytes, nowMs);
    const recordsPerDay = this.#records.growthPerDay(records, nowMs);
    const wholeBytes = Math.min(freeBytes, (space?.fullBytes ?? Number.POSITIVE_INFINITY) - bytes);
    return {
      storeBytes: bytes,
      limitBytes,
      freeBytes,
      growthBytesPerDay,
      daysLeft: daysLeft(roomBytes, growthBytesPerDay),
      outageDays: space === null ? null : outageDays({ ...space, roomBytes: wholeBytes, recordsPerDay }),
      thinnedSamples: space?.thinnedSamples ?? 0,
    };
  }

  #gauge(storeBytes: number, freeBytes: number, clock: ClockStatus): void {
    const { metrics } = this.#sources.deps;
    metrics.gauge('cigale_store_bytes', 'Size of the store', storeBytes);
    metrics.gauge('cigale_disk_free_bytes', "Room left on the store's disk", freeBytes);
    metrics.gauge(
      'cigale_clock_synchronized',
      '1 when a time service has set the clock, 0 when not or not known',
      clock.synchronized === true ? 1 : 0,
    );
    metrics.gauge('cigale_clock_held_records', 'Records that wait for the clock to be set', clock.heldRecords);
  }

  #storeStage(stored: StoreStatus): StageStatus {
    const isFine = stored.fault === null;
    return {
      stage: 'store',
      id: 'store',
      name: 'SQLite',
      state: isFine ? 'ok' : 'failed',
      text: isFine
        ? writesText(stored.salvage ?? null)
        : { en: `does not write: ${stored.fault}`, fr: `n'écrit pas : ${stored.fault}` },
      facts: {
        fault: stored.fault,
        pendingEntries: stored.pendingEntries,
        bytes: stored.bytes,
        ...salvageFacts(stored.salvage ?? null),
      },
    };
  }

  #editorStage(): readonly StageStatus[] {
    const editor = this.#sources.editor();
    if (editor === null) return [];
    const state = editor.phase === 'ready' ? 'ok' : editor.phase === 'failed' ? 'failed' : 'waiting';
    return [
      {
        stage: 'editor',
        id: 'editor',
        name: 'Node-RED',
        state,
        text: editorText(editor.phase, editor.url ?? null),
        facts: { phase: editor.phase, url: editor.url ?? null },
      },
    ];
  }
}
