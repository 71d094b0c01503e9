import type { Plan } from '../model/plan.ts';
import type { Destination } from '../model/record.ts';
import type { Connections } from './connections.ts';
import type { Parts } from './parts.ts';

type Wiring = Pick<Plan, 'routes' | 'injections' | 'taps'>;

const byText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** Where records go, in the words of the log: `rule:NODE` and `stream:ID`. */
export function planWiring(connections: Connections, parts: Parts): Wiring {
  const destinations = new Map<string, Destination>([
    ...parts.rules.map((rule): [string, Destination] => [rule.nodeId, `rule:${rule.nodeId}`]),
    ...parts.streams.map((stream): [string, Destination] => [stream.nodeId, `stream:${stream.stream}`]),
  ]);
  const named = (ids: Iterable<string>): Destination[] =>
    [...ids].flatMap((id) => destinations.get(id) ?? []).sort(byText);
  const routes = [...connections.feeds]
    .sort(([a], [b]) => byText(a, b))
    .map(([output, ids]): [string, Destination[]] => [output, named(ids)]);
  const injections = [...connections.injectable].sort(byText).map((id): [string, Destination[]] => [id, named([id])]);
  return { routes: Object.fromEntries(routes), injections: Object.fromEntries(injections), taps: connections.taps };
}
