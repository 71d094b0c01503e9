import { isDeepStrictEqual } from 'node:util';
import { Aggregator } from '../aggregate/aggregator.ts';
import { latenessFor } from '../aggregate/windows.ts';
import { diffPlans, type PlanDiff } from '../flow/diff.ts';
import { outputKey } from '../model/ids.ts';
import type { Plan } from '../model/plan.ts';
import { findQuantity } from '../model/quantity.ts';
import type { Aggregate, LogEntry } from '../model/record.ts';
import { background, stopAll, type Service } from '../runtime/lifecycle.ts';
import type { Store } from '../store/store.ts';
import { Acceptance } from './acceptance.ts';
import type { ReleasedStore } from './clock-hold.ts';
import type { Deps } from './deps.ts';
import { Forwarding, type Credentials } from './forwarding.ts';
import type { LiveHub } from './live.ts';
import { LoraNetwork } from './lora-network.ts';
import { SerialLine } from './serial-line.ts';
import { tellingRecord } from './telling-record.ts';
import { declareWholeLoss } from './whole-loss.ts';

interface LastAggregate {
  readonly value: number | null;
  readonly unit: string;
  readonly coverage: number | null;
}

/** The value that a technician asks for first: the level, the mean, the sum. */
function mainValue({ quantity, values }: Aggregate): number | null {
  return values[quantity] ?? values['mean'] ?? values['sum'] ?? Object.values(values)[0] ?? null;
}

/** Config nodes that nothing refers to are not opened: an unused port stays free for others. */
function withoutUnused(plan: Plan): Plan {
  const { serialSources, loraSources, streams } = plan;
  return {
    ...plan,
    ports: plan.ports.filter(({ nodeId }) => serialSources.some((source) => source.port === nodeId)),
    concentrators: plan.concentrators.filter(({ nodeId }) => loraSources.some((one) => one.concentrator === nodeId)),
    brokers: plan.brokers.filter(({ nodeId }) => streams.some((stream) => stream.broker === nodeId)),
  };
}

const sourcesOf = (plan: Plan, port: string) => plan.serialSources.filter((source) => source.port === port);

/** Runs a plan and replaces it by difference: what did not change is not touched. */
export class PlanRunner implements Service {
  readonly acceptance: Acceptance;
  readonly lora: LoraNetwork;
  readonly forwarding: Forwarding;
  readonly aggregator: Aggregator;
  readonly #store: Store;
  readonly #live: LiveHub;
  readonly #deps: Deps;
  readonly #lines = new Map<string, SerialLine>();
  readonly #lastAggregates = new Map<string, LastAggregate>();
  #plan: Plan | null = null;
  #credentials: Credentials = {};
  #applying: Promise<void> = Promise.resolve();

  /** `released`: what of the store is sent and aggregated. */
  constructor(store: Store, live: LiveHub, deps: Deps, released: ReleasedStore = store) {
    this.#store = store;
    this.#live = live;
    this.#deps = deps;
    this.acceptance = new Acceptance(store, live, deps);
    this.lora = new LoraNetwork(store, this.acceptance, deps);
    this.forwarding = new Forwarding(released, deps);
    this.aggregator = new Aggregator({
      store: released,
      ...deps,
      onWritten: (node, entries) => this.#onAggregates(node, entries),
    });
  }

  get plan(): Plan | null {
    return this.#plan;
  }

  lineOf(port: string): SerialLine | undefined {
    return this.#lines.get(port);
  }

  /** Main value of the most telling of the aggregates that a rule wrote last; null before the first. */
  lastAggregate(rule: string): LastAggregate | null {
    return this.#lastAggregates.get(rule) ?? null;
  }

  async start(): Promise<void> {
    await this.acceptance.gaps.start();
    await this.lora.start();
    await this.forwarding.start();
  }

  /** Sources first, so that nothing new comes in while what is in flight is finished. */
  async stop(): Promise<void> {
    await this.#applying;
    const { gaps } = this.acceptance;
    await stopAll([this.forwarding, this.aggregator, gaps, this.lora, ...this.#lines.values()], this.#deps.log);
    this.#lines.clear();
  }

  /** Takes over a compiled plan; calls queue. */
  apply(plan: Plan, credentials: Credentials): Promise<void> {
    const applied = this.#applying.then(() => this.#apply(plan, credentials));
    this.#applying = Promise.allSettled([applied]).then(() => undefined);
    return applied;
  }

  async #apply(compiled: Plan, credentials: Credentials): Promise<void> {
    const plan = withoutUnused(compiled);
    const diff = diffPlans(this.#plan, plan);
    const before = this.#plan;
    await this.#store.setDiskLimit(plan.gateway.diskLimitMb);
    this.#store.setCommitInterval(plan.gateway.commitIntervalMs);
    // Streams first: a record that is sent to a stream before the stream is open would lie before its beginning.
    await this.#replaceForwarding(plan, diff, credentials, before);
    this.#switchOver(plan, diff);
    // Before any record of this run: those say that the gateway runs again.
    if (before === null) {
      this.acceptance.gaps.planRuns(plan);
      background(declareWholeLoss(this.#store, plan, this.#deps), this.#deps.log, 'a loss could not be declared yet');
    }
    // The aggregator reads the log from its own position: it must know its rules before it begins.
    if (before === null) {
      await this.aggregator.start();
      await this.lora.decodeLeftOver();
    }
    await this.#replacePorts(plan, diff);
    await this.#replaceConcentrators(plan, diff);
    this.acceptance.setRoutes(plan.routes);
    this.acceptance.forgetAllBut(new Set([...plan.serialSources, ...plan.loraSources].map((source) => source.nodeId)));
    this.#plan = plan;
    this.#credentials = credentials;
  }

  /**
   * From the old plan to the new one between two samples: routes, rules and the nodes of ports that stay open. A source that goes
   * keeps its old routes until it is stopped.
   */
  #switchOver(plan: Plan, { ports, serialSources }: PlanDiff): void {
    const leaving = serialSources.removed.map((node) => outputKey(node, 0));
    const old = leaving.map((output) => [output, this.#plan?.routes[output] ?? []] as const);
    this.acceptance.setRoutes({ ...plan.routes, ...Object.fromEntries(old) });
    this.#live.setTaps(plan.taps);
    this.lora.setSources(plan.loraSources);
    this.aggregator.setLateness(latenessFor(plan.gateway.commitIntervalMs));
    this.aggregator.setRules(plan.rules, (node) => plan.routes[outputKey(node, 0)] ?? []);
    for (const port of ports.unchanged) this.#lines.get(port)?.setSources(sourcesOf(plan, port));
  }

  #onAggregates(node: string, entries: readonly LogEntry[]): void {
    this.#live.publishRecords(node, 0, entries);
    const record = tellingRecord(entries);
    if (record?.kind !== 'aggregate') return;
    const unit = findQuantity(record.quantity)?.unit ?? '';
    this.#lastAggregates.set(node, { value: mainValue(record), unit, coverage: record.coverage });
  }

  async #replacePorts(plan: Plan, diff: PlanDiff): Promise<void> {
    for (const id of [...diff.ports.removed, ...diff.ports.changed]) {
      await this.#lines.get(id)?.stop();
      this.#lines.delete(id);
    }
    for (const port of plan.ports) {
      const line = this.#lines.get(port.nodeId) ?? new SerialLine(port, this.acceptance, this.#deps);
      line.setSources(sourcesOf(plan, port.nodeId));
      if (this.#lines.has(port.nodeId)) continue;
      this.#lines.set(port.nodeId, line);
      await line.start();
    }
  }

  async #replaceConcentrators(plan: Plan, diff: PlanDiff): Promise<void> {
    for (const id of [...diff.concentrators.removed, ...diff.concentrators.changed])
      await this.lora.removeConcentrator(id);
    const fresh = new Set([...diff.concentrators.added, ...diff.concentrators.changed]);
    for (const settings of plan.concentrators)
      if (fresh.has(settings.nodeId)) await this.lora.addConcentrator(settings);
  }

  /** A broker is connected anew when its node, its credentials or the gateway's id changed, and its streams with it. */
  async #replaceForwarding(plan: Plan, diff: PlanDiff, credentials: Credentials, before: Plan | null): Promise<void> {
    const renamed = before !== null && before.gateway.gateway !== plan.gateway.gateway;
    const reconnect = new Set(
      plan.brokers
        .map((broker) => broker.nodeId)
        .filter(
          (id) =>
            renamed || diff.brokers.changed.includes(id) || !isDeepStrictEqual(this.#credentials[id], credentials[id]),
        ),
    );
    const isStale = (stream: { stream: string; broker: string }): boolean =>
      diff.streams.removed.includes(stream.stream) ||
      diff.streams.changed.includes(stream.stream) ||
      reconnect.has(stream.broker);
    const staleStreams = new Set((before?.streams ?? []).filter(isStale).map((stream) => stream.stream));
    for (const stream of staleStreams) await this.forwarding.removeStream(stream);
    const known = new Set((before?.brokers ?? []).map((broker) => broker.nodeId));
    for (const id of [...diff.brokers.removed, ...[...reconnect].filter((broker) => known.has(broker))]) {
      await this.forwarding.removeBroker(id);
    }
    for (const broker of plan.brokers) {
      if (!known.has(broker.nodeId) || reconnect.has(broker.nodeId))
        await this.forwarding.addBroker(broker, plan.gateway, credentials);
    }
    const fresh = new Set([...diff.streams.added, ...staleStreams]);
    for (const stream of plan.streams)
      if (fresh.has(stream.stream)) await this.forwarding.addStream(stream, plan.gateway);
  }
}
