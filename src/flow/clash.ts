import type { RuleSettings } from '../model/plan.ts';
import type { Connections } from './connections.ts';
import { MAX_FINDINGS, type Findings, type NodeRef } from './findings.ts';
import type { Parts } from './parts.ts';
import { gives, overlap, placesOf, sourcesOfRules, type Source } from './source-series.ts';
import { called } from './wire-findings.ts';

/** A rule and one of the sources that feed it. */
interface Feed {
  readonly rule: RuleSettings;
  readonly source: Source;
}

interface Clash {
  readonly first: RuleSettings;
  readonly second: RuleSettings;
  readonly certain: boolean;
}

const refOf = (rule: RuleSettings): NodeRef => ({ id: rule.nodeId, name: rule.name, type: `cigale-${rule.domain}` });

function reportClash({ first, second, certain }: Clash, findings: Findings): void {
  const [one, other] = [called(refOf(first)), called(refOf(second))];
  if (certain) {
    findings.fault('AGGREGATE_DUPLICATE', refOf(second), 'periods', {
      en: `${one} and ${other} would produce the same aggregates: give them different periods or sources, or remove one.`,
      fr: `${one} et ${other} produiraient les mêmes agrégats : donnez-leur des périodes ou des sources différentes, ou supprimez-en un.`,
    });
    return;
  }
  findings.notice('AGGREGATE_MAY_CLASH', refOf(second), 'periods', {
    en: `${one} and ${other} would produce the same aggregates if their sources share a place: make sure that they do not.`,
    fr: `${one} et ${other} produiraient les mêmes agrégats si leurs sources partagent un lieu : vérifiez que ce n'est pas le cas.`,
  });
}

/** Compares feeds of one domain; only those that can share a place meet, so that a thousand sources are no million pairs. */
class ClashSearch {
  readonly #byPlace = new Map<string, Feed[]>();
  /** Feeds of LoRa sources: all of them, and those that name no place. */
  readonly #lora: Feed[] = [];
  readonly #anywhere: Feed[] = [];
  readonly #clashes = new Map<string, Clash>();

  get clashes(): Iterable<Clash> {
    return this.#clashes.values();
  }

  add(feed: Feed): void {
    const places = placesOf(feed.source);
    if (places === null) this.#compare(feed, this.#lora);
    else for (const place of places) this.#compare(feed, this.#byPlace.get(place) ?? []);
    if (places !== null && feed.source.kind === 'lora') this.#compare(feed, this.#anywhere);
    this.#remember(feed, places);
  }

  #remember(feed: Feed, places: readonly string[] | null): void {
    if (feed.source.kind === 'lora') this.#lora.push(feed);
    if (places === null) this.#anywhere.push(feed);
    for (const place of new Set(places ?? [])) {
      const feeds = this.#byPlace.get(place);
      if (feeds === undefined) this.#byPlace.set(place, [feed]);
      else feeds.push(feed);
    }
  }

  #compare({ rule, source }: Feed, others: readonly Feed[]): void {
    for (const other of others) {
      if (this.#clashes.size > MAX_FINDINGS) return;
      if (other.rule === rule || !rule.periodsMs.some((period) => other.rule.periodsMs.includes(period))) continue;
      const found = overlap(source, other.source, rule.domain);
      const pair = JSON.stringify([other.rule.nodeId, rule.nodeId]);
      if (found === 'none' || this.#clashes.get(pair)?.certain === true) continue;
      this.#clashes.set(pair, { first: other.rule, second: rule, certain: found === 'certain' });
    }
  }
}

/** Two rules of one domain, with a period in common, fed with one series: their aggregates would have one key. */
export function checkClashes(parts: Parts, connections: Connections, findings: Findings): void {
  const sources = sourcesOfRules(parts, connections);
  const searches = { noise: new ClashSearch(), heat: new ClashSearch(), count: new ClashSearch() };
  for (const rule of parts.rules)
    for (const source of sources.get(rule.nodeId) ?? [])
      if (gives(source, rule.domain)) searches[rule.domain].add({ rule, source });
  for (const search of Object.values(searches)) for (const clash of search.clashes) reportClash(clash, findings);
}
