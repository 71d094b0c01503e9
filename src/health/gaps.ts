import type { GapCause } from '../model/record.ts';

/** A port that is away no longer than this was reconnected: no gap. */
export const SHORT_ABSENCE_MS = 2000;

/** A source of the port, as the gaps need it. */
export interface WatchedSource {
  readonly nodeId: string;
  readonly place: string;
  /** Silence longer than this is a gap; null: never. */
  readonly silentAfterMs: number | null;
}

/** Monotonic instants. */
export interface SourceGap {
  readonly place: string;
  /** Whose samples are missing. */
  readonly nodes: readonly string[];
  readonly cause: GapCause;
  readonly fromMs: number;
  readonly toMs: number;
}

interface Watched extends WatchedSource {
  /** Since when silence counts; null: not before the place is heard again, because the port was away. */
  quietMs: number | null;
}

/**
 * When the places of one serial port had no data, and why. Every method is told the monotonic time and gives the gaps that ended
 * with it. While the port is away (and after, until a good line of the place) the cause is the port and not silence, so the gaps
 * of a node never overlap.
 */
export class LineGaps {
  #sources: readonly Watched[] = [];
  /** By place: since when it lacks the port that was away and came back. */
  readonly #goneMs = new Map<string, number>();
  /** Since when the port is not open; null while it is. A port that was never open counts from the beginning. */
  #leftMs: number | null;

  constructor(nowMs: number) {
    this.#leftMs = nowMs;
  }

  /** Sources that go take what they lacked so far with them. */
  setSources(sources: readonly WatchedSource[], nowMs: number): SourceGap[] {
    const before = this.#sources;
    const gone = before.filter(({ nodeId, place }) => !sources.some((one) => isSame(one, nodeId, place)));
    const ended = this.#soFar(gone, nowMs);
    this.#sources = sources.map(({ nodeId, place, silentAfterMs }) => {
      const known = before.find((one) => isSame(one, nodeId, place));
      return { nodeId, place, silentAfterMs, quietMs: known === undefined ? nowMs : known.quietMs };
    });
    for (const place of this.#goneMs.keys()) if (this.#of(place).length === 0) this.#goneMs.delete(place);
    return ended;
  }

  left(nowMs: number): void {
    this.#leftMs ??= nowMs;
  }

  opened(nowMs: number): SourceGap[] {
    const leftMs = this.#leftMs;
    this.#leftMs = null;
    if (leftMs === null || nowMs - leftMs <= SHORT_ABSENCE_MS) return [];
    const ended = this.#sources.flatMap((source) => silence(source, leftMs));
    for (const source of this.#sources) {
      const fromMs = this.#awaySince(source.place, leftMs, nowMs);
      if (!this.#goneMs.has(source.place) && fromMs !== undefined) this.#goneMs.set(source.place, fromMs);
    }
    for (const source of this.#sources) source.quietMs = null;
    return ended;
  }

  /** A good line of a node. */
  heard(nodeId: string, nowMs: number): SourceGap[] {
    const source = this.#sources.find((one) => one.nodeId === nodeId);
    if (source === undefined) return [];
    const ended = [...this.#absence(source.place, this.#goneMs.get(source.place), nowMs), ...silence(source, nowMs)];
    this.#goneMs.delete(source.place);
    for (const other of this.#of(source.place)) other.quietMs ??= nowMs;
    source.quietMs = nowMs;
    return ended;
  }

  /** What is missing so far, when nobody watches any more. */
  end(nowMs: number): SourceGap[] {
    return this.setSources([], nowMs);
  }

  #soFar(going: readonly Watched[], nowMs: number): SourceGap[] {
    const leftMs = this.#leftMs;
    const places = new Set(going.map(({ place }) => place));
    const emptied = [...places].filter((place) => this.#of(place).every((source) => going.includes(source)));
    return [
      ...going.flatMap((source) => silence(source, leftMs ?? nowMs)),
      ...emptied.flatMap((place) => {
        const awayMs = leftMs === null ? undefined : this.#awaySince(place, leftMs, nowMs);
        return this.#absence(place, this.#goneMs.get(place) ?? awayMs, nowMs);
      }),
    ];
  }

  /** Since when a place lacks a port that went at `leftMs`: not before its first node was watched. Undefined for a short time. */
  #awaySince(place: string, leftMs: number, nowMs: number): number | undefined {
    const watchedMs = Math.min(...this.#of(place).map(({ quietMs }) => quietMs ?? leftMs));
    const fromMs = Math.max(leftMs, watchedMs);
    return nowMs - fromMs > SHORT_ABSENCE_MS ? fromMs : undefined;
  }

  #absence(place: string, fromMs: number | undefined, toMs: number): SourceGap[] {
    const nodes = this.#of(place).map(({ nodeId }) => nodeId);
    return fromMs === undefined ? [] : [{ place, nodes, cause: 'port-gone', fromMs, toMs }];
  }

  #of(place: string): readonly Watched[] {
    return this.#sources.filter((source) => source.place === place);
  }
}

const isSame = (source: WatchedSource, nodeId: string, place: string): boolean =>
  source.nodeId === nodeId && source.place === place;

function silence({ nodeId, place, silentAfterMs, quietMs }: Watched, toMs: number): SourceGap[] {
  if (quietMs === null || silentAfterMs === null || toMs - quietMs <= silentAfterMs) return [];
  return [{ place, nodes: [nodeId], cause: 'silent', fromMs: quietMs, toMs }];
}

/**
 * The time without a gateway, wall clock; null where it is no longer than `shortMs`. A clock that stands before the moment at which
 * the gateway was known to run was set back: how long it was off is not known, and the gap has no length.
 */
export function offGap(aliveAt: number, nowAt: number, shortMs: number): { from: number; to: number } | null {
  if (Math.abs(nowAt - aliveAt) <= shortMs) return null;
  return { from: Math.min(aliveAt, nowAt), to: nowAt };
}
