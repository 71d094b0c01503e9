import type { Findings } from './findings.ts';
import type { FlowNode } from './read-flow.ts';

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];

/** By `link out` id: the `link in` nodes it reaches. Either end may hold the link, as in Node-RED's `parseConfig`. */
export function linkTargets(nodes: readonly FlowNode[]): ReadonlyMap<string, ReadonlySet<string>> {
  const targets = new Map<string, Set<string>>();
  const link = (from: string, to: string): void => void targets.set(from, (targets.get(from) ?? new Set()).add(to));
  for (const node of nodes) {
    if (node.type === 'link in') for (const from of textsOf(node.raw['links'])) link(from, node.id);
    if (node.type === 'link out') for (const to of textsOf(node.raw['links'])) link(node.id, to);
  }
  return targets;
}

/** Outputs of a node as lists of ids, as the file has them. A static `link call` reaches its target by an output of its own. */
export function rawWires(node: FlowNode, links: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  if (node.type === 'link out') return node.raw['mode'] === 'return' ? [] : [[...(links.get(node.id) ?? [])]];
  const given = node.raw['wires'];
  const wires = Array.isArray(given) ? given.map(textsOf) : [];
  if (node.type !== 'link call' || node.raw['linkType'] === 'dynamic') return wires;
  const called = node.raw['links'];
  return [...wires, typeof called === 'string' ? [called] : textsOf(called)];
}

/** Wires of a Cigale node that are not lists of ids would lose data silently. */
export function checkWires(node: FlowNode, findings: Findings): void {
  const given = node.raw['wires'];
  if (given === undefined) return;
  const wellFormed =
    Array.isArray(given) &&
    given.every((output) => Array.isArray(output) && output.every((id) => typeof id === 'string' || id === null));
  if (wellFormed) return;
  findings.fault('WIRES_INVALID', node, 'wires', {
    en: 'The wires of this node are not lists of ids: draw them again in the editor.',
    fr: "Les fils de ce nœud ne sont pas des listes d'identifiants : redessinez-les dans l'éditeur.",
  });
}
