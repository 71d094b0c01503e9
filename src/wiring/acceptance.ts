import { outputKey } from '../model/ids.ts';
import type { Plan } from '../model/plan.ts';
import type { Destination, LogEntry, Measurement, NewEntry } from '../model/record.ts';
import type { Rejection } from '../model/frame.ts';
import { GatewayError } from '../runtime/errors.ts';
import type { SourceActivity } from '../health/node-status.ts';
import type { LifeStore, LogStore, UplinkStore } from '../store/store.ts';
import type { Deps } from './deps.ts';
import { GapRecorder } from './gap-recorder.ts';
import { LatestSamples } from './latest.ts';
import type { LiveHub } from './live.ts';
import { tellingRecord } from './telling-record.ts';

const NOWHERE: readonly Destination[] = [];
const REFUSAL_LOG_INTERVAL_MS = 30_000;

const newActivity = (): { -readonly [Field in keyof SourceActivity]: SourceActivity[Field] } => ({
  lastAcceptedMs: null,
  lastValue: null,
  lastUnit: '',
  accepted: 0,
  rejected: 0,
  rejectedInARow: 0,
});

/** Gives measurements their destinations and takes them into the log: the one door for samples. */
export class Acceptance {
  readonly #store: LogStore;
  readonly #live: LiveHub;
  readonly latest = new LatestSamples();
  readonly gaps: GapRecorder;
  readonly #deps: Deps;
  readonly #activity = new Map<string, ReturnType<typeof newActivity>>();
  #routes: Plan['routes'] = {};
  #refusedSinceLog = 0;
  #refusalLoggedMs = -REFUSAL_LOG_INTERVAL_MS;

  constructor(store: LogStore & LifeStore & Pick<UplinkStore, 'undecodedUplinks'>, live: LiveHub, deps: Deps) {
    this.#store = store;
    this.gaps = new GapRecorder(store, deps);
    this.#live = live;
    this.#deps = deps;
  }

  setRoutes(routes: Plan['routes']): void {
    this.#routes = routes;
    this.gaps.setRoutes(routes);
  }

  destinationsOf(node: string, output: number): readonly Destination[] {
    return this.#routes[outputKey(node, output)] ?? NOWHERE;
  }

  activityOf(node: string): SourceActivity {
    return this.#of(node);
  }

  /** Hands measurements of a source node to the log. Never throws and never waits: what the store refuses is counted and logged. */
  accept(node: string, measurements: readonly Measurement[]): void {
    if (measurements.length === 0) return;
    this.gaps.heard(node);
    const to = this.destinationsOf(node, 0);
    const entries = measurements.map((measurement) => this.entryOf(measurement, to));
    this.#store.append(entries).then(
      (accepted) => this.accepted(node, accepted),
      (error: unknown) => this.refused(entries, error),
    );
  }

  /** The record of a measurement, with the time that it has by the gateway's line of time. */
  entryOf(measurement: Measurement, to: readonly Destination[]): NewEntry {
    const stamped = this.#deps.time?.stamp(measurement) ?? measurement;
    return { record: { kind: 'sample', revision: 0, ...stamped }, to };
  }

  /** Notes entries that are on disk and shows them to taps. */
  accepted(node: string, entries: readonly LogEntry[]): void {
    this.#deps.metrics.count('cigale_samples_accepted_total', 'Samples on disk', {}, entries.length);
    const activity = this.#of(node);
    activity.lastAcceptedMs = this.#deps.clock.monotonicMs();
    activity.accepted += entries.length;
    activity.rejectedInARow = 0;
    const telling = tellingRecord(entries);
    if (telling?.kind === 'sample') {
      activity.lastValue = telling.value;
      activity.lastUnit = telling.unit;
    }
    this.latest.add(entries);
    this.#live.publishRecords(node, 0, entries);
    this.gaps.taken();
  }

  rejected(node: string, rejection: Rejection): void {
    const activity = this.#of(node);
    activity.rejected += 1;
    activity.rejectedInARow += 1;
    this.#live.publishRejection(node, 1, rejection);
  }

  /** Counts samples that the store did not take; logged on change and then at most every 30 s. */
  refused(entries: readonly NewEntry[], error: unknown): void {
    const count = entries.length;
    this.gaps.refused(entries, error);
    const reason = error instanceof GatewayError ? error.code : 'INTERNAL';
    this.#deps.metrics.count('cigale_samples_refused_total', 'Samples the store did not take', { reason }, count);
    this.#refusedSinceLog += count;
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs - this.#refusalLoggedMs < REFUSAL_LOG_INTERVAL_MS) return;
    this.#deps.log.error({ reason, samples: this.#refusedSinceLog }, 'samples were refused by the store and are lost');
    this.#refusalLoggedMs = nowMs;
    this.#refusedSinceLog = 0;
  }

  /** Forgets nodes that the plan no longer has. */
  forgetAllBut(nodes: ReadonlySet<string>): void {
    for (const node of this.#activity.keys()) if (!nodes.has(node)) this.#activity.delete(node);
  }

  #of(node: string): ReturnType<typeof newActivity> {
    let activity = this.#activity.get(node);
    if (activity === undefined) {
      activity = newActivity();
      this.#activity.set(node, activity);
    }
    return activity;
  }
}
