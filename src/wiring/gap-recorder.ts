import { LineGaps, SHORT_ABSENCE_MS, offGap, type SourceGap, type WatchedSource } from '../health/gaps.ts';
import { Refusals } from '../health/refusals.ts';
import { outputKey } from '../model/ids.ts';
import type { Plan } from '../model/plan.ts';
import type { Destination, GapCause, GapRecord, NewEntry } from '../model/record.ts';
import { every, type Timer } from '../runtime/clock.ts';
import { GatewayError, messageOf } from '../runtime/errors.ts';
import type { Service } from '../runtime/lifecycle.ts';
import type { LifeStore, LogStore, UplinkStore } from '../store/store.ts';
import type { Deps } from './deps.ts';
import { lastAlive } from './last-alive.ts';

/** After a kill, `gateway-off` begins at most this long before it where no records came. */
const ALIVE_INTERVAL_MS = 60_000;
/** Gaps that wait because the store refuses records. */
const MAX_WAITING = 1000;

type GapStore = LogStore & LifeStore & Pick<UplinkStore, 'undecodedUplinks'>;

/** Writes gaps into the log, to the streams that the samples that are missing would have gone to. */
export class GapRecorder implements Service {
  readonly #store: GapStore;
  readonly #deps: Deps;
  readonly #lines = new Map<string, LineGaps>();
  readonly #lineOfNode = new Map<string, LineGaps>();
  readonly #refusals = new Refusals();
  readonly #writing = new Set<Promise<void>>();
  #waiting: NewEntry[] = [];
  #routes: Plan['routes'] = {};
  /** When the gateway was last known to run before this start; undefined for a new store. */
  #aliveAt: number | undefined;
  #timeUnknown: GapRecord | null = null;
  #timer: Timer | undefined;
  #isNoting = false;

  constructor(store: GapStore, deps: Deps) {
    this.#store = store;
    this.#deps = deps;
  }

  /** To be called before anything is taken in: finds out when the gateway ran last. */
  async start(): Promise<void> {
    try {
      this.#aliveAt = await lastAlive(this.#store, this.#deps.clock.nowMs());
    } catch (error) {
      this.#deps.log.warn({ error: messageOf(error) }, 'when the gateway ran last cannot be read: no gap is recorded');
    }
  }

  /** The first plan is about to run: the time without a gateway is over. To be called before its sources are opened. */
  planRuns({ streams, gateway }: Plan): void {
    const { clock } = this.#deps;
    const to = streams.map(({ stream }): Destination => `stream:${stream}`);
    const gaps = [this.#timeUnknown, this.#offGap(SHORT_ABSENCE_MS + gateway.commitIntervalMs)];
    this.#aliveAt = undefined;
    this.#timeUnknown = null;
    this.#write(gaps.filter((record) => record !== null).map((record) => ({ record, to })));
    this.#noteAlive();
    this.#timer?.cancel();
    this.#timer = every(clock, ALIVE_INTERVAL_MS, () => {
      this.#noteAlive();
      this.taken();
    });
  }

  /** Writes what is still open, as far as it goes. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    for (const port of this.#lines.keys()) this.unwatch(port);
    this.taken();
    if (this.#timer !== undefined) this.#noteAlive(true);
    this.#timer = undefined;
    while (this.#writing.size > 0) await Promise.all(this.#writing);
    if (this.#waiting.length > 0) this.#deps.log.error({ gaps: this.#waiting.length }, 'gaps could not be written');
  }

  /** Samples of an earlier boot have an estimated time: nobody set the clock. To be called before the first plan runs. */
  timeUnknown(from: number, to: number): void {
    this.#timeUnknown = { ...GAP, from: Math.min(from, to), to, cause: 'clock' };
  }

  setRoutes(routes: Plan['routes']): void {
    this.#routes = routes;
  }

  /** The sources of a port, which is watched from now on. */
  watch(port: string, sources: readonly WatchedSource[]): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const line = this.#lines.get(port) ?? new LineGaps(nowMs);
    this.#lines.set(port, line);
    this.#writeAll(line.setSources(sources, nowMs));
    for (const [node, of] of this.#lineOfNode) if (of === line) this.#lineOfNode.delete(node);
    for (const { nodeId } of sources) this.#lineOfNode.set(nodeId, line);
  }

  unwatch(port: string): void {
    const line = this.#lines.get(port);
    if (line === undefined) return;
    this.watch(port, []);
    this.#lines.delete(port);
  }

  portChanged(port: string, isOpen: boolean): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const line = this.#lines.get(port);
    if (isOpen) this.#writeAll(line?.opened(nowMs) ?? []);
    else line?.left(nowMs);
  }

  /** A node gave measurements. */
  heard(node: string): void {
    const line = this.#lineOfNode.get(node);
    if (line !== undefined) this.#writeAll(line.heard(node, this.#deps.clock.monotonicMs()));
  }

  /** Samples of one node that the store did not take, with its reason. */
  refused(entries: readonly NewEntry[], error: unknown): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const cause = causeOf(error);
    const streams = this.#streamsOf(entries[0]?.to ?? []);
    for (const { record } of entries) this.#refusals.add(record.place, cause, streams, nowMs);
  }

  /** The store takes records: what waited for that is written. */
  taken(): void {
    if (this.#refusals.isEmpty && this.#waiting.length === 0) return;
    const refused = this.#refusals.take().map(({ destinations, place, cause, count, fromMs, toMs }): NewEntry => {
      const record: GapRecord = { ...GAP, place, cause, count, from: this.#at(fromMs), to: this.#at(toMs) };
      return { record, to: [...destinations] };
    });
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#write([...waiting, ...refused]);
  }

  /** Where the time of this boot is not known, the end of the gap is put right once it is. */
  #offGap(shortMs: number): GapRecord | null {
    const { clock, time } = this.#deps;
    if (this.#aliveAt === undefined) return null;
    // The last run of this boot may have ended before the clock was set.
    const aliveAt = time?.settled(this.#aliveAt) ?? this.#aliveAt;
    const nowAt = clock.nowMs();
    const isUnknown = time?.isOffTimeUnknown === true;
    const off = isUnknown ? { from: aliveAt, to: nowAt } : offGap(aliveAt, nowAt, shortMs);
    return off === null ? null : { ...GAP, ...off, cause: 'gateway-off' };
  }

  #writeAll(gaps: readonly SourceGap[]): void {
    if (gaps.length === 0) return;
    this.#write(
      gaps.map(({ place, nodes, cause, fromMs, toMs }) => {
        const to = new Set(nodes.flatMap((node) => [...this.#streamsOf(this.#routes[outputKey(node, 0)] ?? [])]));
        return { record: { ...GAP, place, cause, from: this.#at(fromMs), to: this.#at(toMs) }, to: [...to] };
      }),
    );
  }

  #write(entries: readonly NewEntry[]): void {
    if (entries.length === 0) return;
    this.#track(
      this.#store.append(entries).then(
        () => this.#deps.log.warn({ gaps: entries.map(({ record }) => record) }, 'data is missing'),
        (error: unknown) => this.#keep(entries, error),
      ),
    );
  }

  #keep(entries: readonly NewEntry[], error: unknown): void {
    const kept = [...this.#waiting, ...entries];
    this.#waiting = kept.slice(-MAX_WAITING);
    const lost = kept.length - this.#waiting.length;
    this.#deps.log.warn({ error: messageOf(error), gaps: entries.length, lost }, 'gaps wait for the store');
  }

  /** One at a time: while the disk refuses, notes do not pile up. */
  #noteAlive(always = false): void {
    if (this.#isNoting && !always) return;
    this.#isNoting = true;
    this.#track(
      this.#store
        .saveAliveAt(this.#deps.clock.nowMs())
        .catch((error: unknown) =>
          this.#deps.log.warn({ error: messageOf(error) }, 'that the gateway runs could not be noted'),
        )
        .finally(() => {
          this.#isNoting = false;
        }),
    );
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#writing.delete(tracked));
    this.#writing.add(tracked);
  }

  /** The streams among destinations, and those that the aggregates of the rules among them go to. */
  #streamsOf(destinations: readonly Destination[], passed = new Set<Destination>()): ReadonlySet<Destination> {
    const streams = new Set<Destination>();
    for (const destination of destinations) {
      if (destination.startsWith('stream:')) streams.add(destination);
      else if (!passed.has(destination)) {
        passed.add(destination);
        const rule = outputKey(destination.slice('rule:'.length), 0);
        for (const stream of this.#streamsOf(this.#routes[rule] ?? [], passed)) streams.add(stream);
      }
    }
    return streams;
  }

  /** Wall time of a monotonic instant of this run, by the clock as it stands now. */
  #at(ms: number): number {
    const { clock } = this.#deps;
    return Math.max(0, Math.round(clock.nowMs() - (clock.monotonicMs() - ms)));
  }
}

const GAP = { kind: 'gap', place: '', stream: '', count: null } as const;

function causeOf(error: unknown): GapCause {
  if (!(error instanceof GatewayError)) return 'refused';
  if (error.code === 'STORE_FULL' || error.context['fault'] === 'STORE_FULL') return 'store-full';
  return error.code === 'STORE_BACKPRESSURE' || error.code === 'STORE_IO' ? 'backpressure' : 'refused';
}
