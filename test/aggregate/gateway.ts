import { Aggregator, type AggregatorOptions } from '../../src/aggregate/aggregator.ts';
import type { RuleSettings } from '../../src/model/plan.ts';
import type { Aggregate, Destination, Sample } from '../../src/model/record.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import type { LogStore, WindowStore } from '../../src/store/store.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { noiseRule, sentTo, TEN } from './records.ts';

/** What one process sees of the store; after `kill` nothing answers it any more. */
export function processView(store: LogStore & WindowStore): LogStore & WindowStore & { kill(): void } {
  let alive = true;
  const answered = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } finally {
      if (!alive) await new Promise<never>(() => {});
    }
  };
  const asked = <T>(ask: () => Promise<T>): Promise<T> => (alive ? answered(ask()) : new Promise<never>(() => {}));
  return {
    kill: () => {
      alive = false;
    },
    append: (entries, urgency) => asked(() => store.append(entries, urgency)),
    head: () => store.head(),
    revision: () => store.revision(),
    read: (from, limit) => asked(() => store.read(from, limit)),
    readRange: (range) => store.readRange(range),
    onCommitted: (listener) =>
      store.onCommitted((entries) => {
        if (alive) listener(entries);
      }),
    aggregateCursor: () => asked(() => store.aggregateCursor()),
    findWindow: (key, start) => asked(() => store.findWindow(key, start)),
    writeWindows: (aggregates, cursor) => asked(() => store.writeWindows(aggregates, cursor)),
  };
}

/** A gateway of which only log and aggregation are there; it can be killed and started again on the same store. */
export class Gateway {
  readonly store = new MemoryStore();
  readonly clock: ManualClock;
  readonly log = memoryLog();
  metrics = new Metrics();
  rules: readonly RuleSettings[];
  aggregator: Aggregator;
  #view: ReturnType<typeof processView>;
  readonly #options: Partial<AggregatorOptions>;
  readonly #routes: (nodeId: string) => readonly Destination[];

  constructor(
    rules: readonly RuleSettings[] = [noiseRule()],
    options: Partial<AggregatorOptions> = {},
    routes: (nodeId: string) => readonly Destination[] = () => ['stream:ville'],
  ) {
    this.rules = rules;
    this.clock = new ManualClock(TEN);
    this.#options = options;
    this.#routes = routes;
    [this.aggregator, this.#view] = this.#process();
  }

  async start(): Promise<this> {
    await this.aggregator.start();
    await this.clock.advance(0);
    return this;
  }

  setRules(rules: readonly RuleSettings[]): void {
    this.rules = rules;
    this.aggregator.setRules(rules, this.#routes);
  }

  /** `kill -9`, and the next start. */
  async restart(): Promise<void> {
    this.kill();
    await this.start();
  }

  kill(): void {
    this.#view.kill();
    [this.aggregator, this.#view] = this.#process();
  }

  /** Samples on their way to the rule with the given node id. */
  async accept(samples: readonly Sample[], ...rules: string[]): Promise<void> {
    const nodes = rules.length === 0 ? this.rules.map((rule) => rule.nodeId) : rules;
    await this.store.append(sentTo(samples, ...nodes.map((nodeId): Destination => `rule:${nodeId}`)));
  }

  /** Moves time until the wall clock shows that instant, and lets aggregation come to rest. */
  async until(wallMs: number): Promise<void> {
    await this.clock.advance(wallMs - this.clock.nowMs());
  }

  aggregates(): Aggregate[] {
    return this.store.entries.map(({ record }) => record).filter((record) => record.kind === 'aggregate');
  }

  #process(): [Aggregator, ReturnType<typeof processView>] {
    const view = processView(this.store);
    this.metrics = new Metrics();
    const { clock, log, metrics } = this;
    const aggregator = new Aggregator({ store: view, clock, log, metrics, ...this.#options });
    aggregator.setRules(this.rules, this.#routes);
    return [aggregator, view];
  }
}
