import { isDeepStrictEqual } from 'node:util';
import { seriesKey } from '../model/ids.ts';
import type { RuleSettings } from '../model/plan.ts';
import { findQuantity } from '../model/quantity.ts';
import type { Destination, LogEntry, Sample } from '../model/record.ts';
import { contributionOf, type Exclusion } from './contribution.ts';
import { closingBounds, isDue, type Moment, type OpenWindow } from './open-window.ts';
import { RuleSeries } from './rule-series.ts';
import { SeriesWindow } from './series-window.ts';

/** Why a sample, or a part of it, did not enter a window; the `reason` label of the counter. */
export type Ignored = Exclusion | 'other-domain' | 'unknown-rule' | 'unknown-time' | 'too-long-average';

interface Rule {
  settings: RuleSettings;
  to: readonly Destination[];
  readonly bySeries: Map<string, RuleSeries>;
}

const ruleDestination = (nodeId: string): Destination => `rule:${nodeId}`;

/** Every window in memory, and the rules that open them. Synchronous; knows neither the disk nor timers. */
export class OpenWindows {
  readonly #ignore: (reason: Ignored) => void;
  readonly #rules = new Map<Destination, Rule>();
  readonly #open = new Set<OpenWindow>();
  #latenessMs: number;

  /** `latenessMs`: how long after its end a window still takes samples in. */
  constructor(ignore: (reason: Ignored) => void, latenessMs: number) {
    this.#ignore = ignore;
    this.#latenessMs = latenessMs;
  }

  get size(): number {
    return this.#open.size;
  }

  setLateness(latenessMs: number): void {
    this.#latenessMs = latenessMs;
  }

  /**
   * Takes the rules of a plan. Settings that changed hold for windows that open from now on; windows of a rule that is gone
   * are due at once, as they are, and go where they would have gone.
   */
  setRules(rules: readonly RuleSettings[], routes: (nodeId: string) => readonly Destination[]): void {
    const named = new Map(rules.map((settings) => [ruleDestination(settings.nodeId), settings]));
    for (const [destination, rule] of this.#rules) {
      if (named.get(destination)?.domain !== rule.settings.domain) this.#abandon(destination);
    }
    for (const [destination, settings] of named) {
      const to = routes(settings.nodeId);
      const rule = this.#rules.get(destination);
      if (rule === undefined) this.#rules.set(destination, { settings, to, bySeries: new Map() });
      else this.#change(destination, rule, settings, to);
    }
  }

  /**
   * Whether an entry with these destinations belongs to that rule when one of its windows is computed again: it was sent to the rule,
   * or to a rule that the flow has no more (the node was drawn again under another id in the middle of a window).
   */
  belongs(rule: Destination, to: readonly Destination[]): boolean {
    return to.some(
      (destination) => destination === rule || (destination.startsWith('rule:') && !this.#rules.has(destination)),
    );
  }

  add(entry: LogEntry, moment: Moment): void {
    const { record } = entry;
    if (record.kind !== 'sample') return;
    for (const destination of entry.to) {
      if (!destination.startsWith('rule:')) continue;
      const rule = this.#rules.get(destination);
      if (rule === undefined) this.#ignore('unknown-rule');
      else this.#addTo(rule, destination, entry.id, record, moment);
    }
  }

  due(moment: Moment): OpenWindow[] {
    return [...this.#open].filter((open) => isDue(open, moment, this.#latenessMs));
  }

  /** The windows that end first, at most that many. */
  oldest(count: number): OpenWindow[] {
    return [...this.#open].toSorted((a, b) => a.window.end - b.window.end).slice(0, count);
  }

  /** Id of the first entry that any window but these holds. */
  firstIdWithout(leaving: ReadonlySet<OpenWindow>): number | undefined {
    let first: number | undefined;
    for (const open of this.#open) {
      if (!leaving.has(open) && (first === undefined || open.firstId < first)) first = open.firstId;
    }
    return first;
  }

  remove(open: OpenWindow): void {
    this.#open.delete(open);
    if (open.abandoned) return;
    const bySeries = this.#rules.get(open.rule)?.bySeries;
    const key = seriesKeyOf(open);
    const series = bySeries?.get(key);
    series?.remove(open);
    if (series?.isIdle === true) bySeries?.delete(key);
  }

  #addTo(rule: Rule, destination: Destination, id: number, sample: Sample, moment: Moment): void {
    const key = seriesKey(sample);
    const known = rule.bySeries.get(key);
    const series = known ?? newSeries(rule, sample);
    if (series === undefined || !Number.isFinite(sample.observedAt)) {
      this.#ignore(series === undefined ? 'other-domain' : 'unknown-time');
      return;
    }
    const contribution = contributionOf(sample, series.series.quantity);
    if (contribution.exclusion !== null) this.#ignore(contribution.exclusion);
    const unfit = series.add(sample, contribution, (settings, of, periodMs, start) =>
      this.#openWindow(new SeriesWindow(settings, of, periodMs, start), destination, rule.to, id, moment),
    );
    for (let index = 0; index < unfit; index += 1) this.#ignore('too-long-average');
    if (known === undefined && !series.isIdle) rule.bySeries.set(key, series);
  }

  #openWindow(
    window: SeriesWindow,
    rule: Destination,
    to: readonly Destination[],
    firstId: number,
    moment: Moment,
  ): OpenWindow {
    const bounds = closingBounds(window, moment, this.#latenessMs);
    const open: OpenWindow = { window, rule, to, firstId, abandoned: false, ...bounds };
    this.#open.add(open);
    return open;
  }

  #change(destination: Destination, rule: Rule, settings: RuleSettings, to: readonly Destination[]): void {
    rule.to = to;
    for (const open of this.#open) {
      if (open.rule === destination && !open.abandoned) open.to = to;
    }
    if (isDeepStrictEqual(rule.settings, settings)) return;
    rule.settings = settings;
    for (const series of rule.bySeries.values()) series.follow(settings);
  }

  #abandon(destination: Destination): void {
    this.#rules.delete(destination);
    for (const open of this.#open) {
      if (open.rule === destination) open.abandoned = true;
    }
  }
}

function newSeries({ settings }: Rule, { place, channel, quantity: id }: Sample): RuleSeries | undefined {
  const quantity = findQuantity(id);
  if (quantity === undefined || quantity.domain !== settings.domain) return undefined;
  return new RuleSeries({ place, channel, quantity }, settings);
}

const seriesKeyOf = ({ window }: OpenWindow): string => {
  const { place, channel, quantity } = window.series;
  return seriesKey({ place, channel, quantity: quantity.id });
};
