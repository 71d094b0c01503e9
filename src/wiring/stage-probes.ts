import { loopLagProbe, stillnessProbe } from '../health/probes.ts';
import type { Probe } from '../health/watchdog.ts';
import { background } from '../runtime/lifecycle.ts';
import type { Store } from '../store/store.ts';
import type { Deps } from './deps.ts';
import type { PlanRunner } from './plan-runner.ts';

/** Longer than any SD card was seen to take for one commit, and than the longest step of the store's maintenance. */
const MAX_STILL_MS = 300_000;
const MAX_LOOP_LAG_MS = 10_000;

/** What the watchdog asks: of the event loop, the store, the aggregation and each stream of the running plan. */
export function stageProbes(store: Store, runner: PlanRunner, deps: Deps): readonly Probe[] {
  const loop = loopLagProbe(deps.clock, MAX_LOOP_LAG_MS);
  return [loop, new StoreProbe(store, runner, deps), aggregationProbe(store, runner, deps), streamsProbe(runner, deps)];
}

/**
 * A disk that refuses (full, read-only, I/O error) is no lack of progress while commits are tried again: a restart would
 * throw away what waits in memory for the disk, and the process that says what is wrong.
 */
const refusals = ({ metrics }: Deps): number => metrics.total('cigale_store_commit_failures_total');

/** The store answers, and what waits for a commit is committed or tried. */
class StoreProbe implements Probe {
  readonly name = 'store';
  readonly #store: Store;
  readonly #log: Deps['log'];
  readonly #commits: Probe;
  #pendingEntries = 0;
  /** Since when an answer is awaited, monotonic; null when none is. */
  #askedMs: number | null = null;

  constructor(store: Store, runner: PlanRunner, deps: Deps) {
    this.#store = store;
    this.#log = deps.log;
    this.#commits = stillnessProbe({
      name: this.name,
      maxStillMs: () => MAX_STILL_MS + (runner.plan?.gateway.commitIntervalMs ?? 0),
      hasWork: () => this.#pendingEntries > 0,
      mark: () => deps.metrics.observations('cigale_commit_seconds') + refusals(deps),
    });
  }

  isProgressing(nowMs: number): boolean {
    const isCommitting = this.#commits.isProgressing(nowMs);
    if (this.#askedMs !== null) return isCommitting && nowMs - this.#askedMs <= MAX_STILL_MS;
    this.#askedMs = nowMs;
    background(this.#ask(), this.#log, 'the store did not tell its state');
    return isCommitting;
  }

  /** Calls of the store's connection are answered in order: an answer means that it does not hang. So does a refusal. */
  async #ask(): Promise<void> {
    try {
      this.#pendingEntries = (await this.#store.status()).pendingEntries;
    } finally {
      this.#askedMs = null;
    }
  }
}

/** Committed entries reach the windows. */
const aggregationProbe = (store: Store, runner: PlanRunner, deps: Deps): Probe =>
  stillnessProbe({
    name: 'aggregation',
    maxStillMs: () => MAX_STILL_MS,
    hasWork: () => runner.plan !== null && runner.aggregator.position < store.head(),
    mark: () => `${runner.aggregator.position}/${refusals(deps)}`,
  });

/** Each stream whose broker is there and owes it nothing seals what has waited long enough. */
function streamsProbe(runner: PlanRunner, deps: Deps): Probe {
  const probes = new Map<string, Probe>();
  return {
    name: 'streams',
    isProgressing(nowMs) {
      const outboxes = runner.forwarding.outboxes();
      const ids = new Set(outboxes.map(({ settings }) => settings.stream));
      for (const id of probes.keys()) if (!ids.has(id)) probes.delete(id);
      for (const { settings } of outboxes) {
        const { stream } = settings;
        if (!probes.has(stream)) probes.set(stream, streamProbe(stream, runner, deps));
      }
      return [...probes.values()].map((probe) => probe.isProgressing(nowMs)).every(Boolean);
    },
  };
}

/** A redrawn stream has a new sender under the same id: the sender is looked up each time. */
function streamProbe(stream: string, runner: PlanRunner, deps: Deps): Probe {
  const find = () => runner.forwarding.outboxes().find(({ settings }) => settings.stream === stream);
  return stillnessProbe({
    name: stream,
    maxStillMs: () => {
      const settings = find()?.settings;
      if (settings === undefined) return MAX_STILL_MS;
      return MAX_STILL_MS + settings.maxAgeMs + (1000 * settings.maxRecords) / settings.backlogRate;
    },
    hasWork: () => {
      const status = find()?.sender.status();
      if (status === undefined || status.unacknowledged > 0) return false;
      const isSending = status.state === 'sending' || status.state === 'catching up';
      return status.state === 'starting' || (isSending && status.bufferedRecords > 0);
    },
    mark: () => `${find()?.sender.status().lastSeq ?? 0}/${refusals(deps)}`,
  });
}
