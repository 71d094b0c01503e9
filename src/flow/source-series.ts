import type { LoraSourceSettings, SerialSourceSettings } from '../model/plan.ts';
import { findQuantity, type Domain } from '../model/quantity.ts';
import type { Connections } from './connections.ts';
import type { Parts } from './parts.ts';

/** A source, as far as one can know before a frame was heard which series it gives. */
export type Source =
  | { readonly kind: 'serial'; readonly settings: SerialSourceSettings }
  | { readonly kind: 'lora'; readonly settings: LoraSourceSettings };

/** How sure it is that two sources give one series. */
export type Overlap = 'none' | 'possible' | 'certain';

const inDomain = (quantity: string, domain: Domain): boolean => findQuantity(quantity)?.domain === domain;

const seriesOf = ({ place, channels }: SerialSourceSettings, domain: Domain): string[] =>
  channels
    .filter((channel) => inDomain(channel.quantity, domain))
    .map((channel) => JSON.stringify([place, channel.channel, channel.quantity]));

const meets = (a: readonly string[], b: readonly string[]): boolean => a.some((item) => b.includes(item));

/** Whether two restrictions leave something in common; an empty one restricts nothing. */
const mayMeet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === 0 || b.length === 0 || meets(a, b);

/** Whether a source may give a quantity of that domain. */
export function gives(source: Source, domain: Domain): boolean {
  if (source.kind === 'serial') return source.settings.channels.some(({ quantity }) => inDomain(quantity, domain));
  const { quantities } = source.settings;
  return quantities.length === 0 || quantities.some((quantity) => inDomain(quantity, domain));
}

/** The places that a source names; null where the registry alone decides. */
export function placesOf(source: Source): readonly string[] | null {
  if (source.kind === 'serial') return [source.settings.place];
  return source.settings.places.length === 0 ? null : source.settings.places;
}

function loraOverlap(a: LoraSourceSettings, b: LoraSourceSettings, domain: Domain): Overlap {
  const computed = ({ quantities }: LoraSourceSettings): string[] => quantities.filter((id) => inDomain(id, domain));
  if (!mayMeet(a.places, b.places) || !mayMeet(computed(a), computed(b))) return 'none';
  const sure = a.concentrator === b.concentrator && a.tags.length === 0 && b.tags.length === 0;
  return sure ? 'certain' : 'possible';
}

/** Whether two sources that both give quantities of the domain give one series of it. */
export function overlap(a: Source, b: Source, domain: Domain): Overlap {
  if (a.settings.nodeId === b.settings.nodeId) return 'certain';
  if (a.kind === 'serial' && b.kind === 'serial')
    return meets(seriesOf(a.settings, domain), seriesOf(b.settings, domain)) ? 'certain' : 'none';
  if (a.kind === 'lora' && b.kind === 'lora') return loraOverlap(a.settings, b.settings, domain);
  return meets(placesOf(a) ?? [], placesOf(b) ?? []) ? 'possible' : 'none';
}

/** The sources that feed each rule, by the rule's node id. */
export function sourcesOfRules(parts: Parts, connections: Connections): ReadonlyMap<string, readonly Source[]> {
  const sources = new Map<string, Source>();
  for (const settings of parts.serialSources) sources.set(settings.nodeId, { kind: 'serial', settings });
  for (const settings of parts.loraSources) sources.set(settings.nodeId, { kind: 'lora', settings });
  return new Map(
    parts.rules.map(({ nodeId }) => [
      nodeId,
      (connections.fedBy.get(nodeId) ?? []).flatMap((id) => sources.get(id) ?? []),
    ]),
  );
}
