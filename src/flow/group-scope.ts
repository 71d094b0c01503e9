import { envEntries, innerScope, type Scope } from './environment.ts';
import type { FlowNode } from './read-flow.ts';

/** The scope of a node by its `g` (the group that holds it, if any). */
export type GroupScopes = (group: unknown) => Scope;

/** Scopes of the groups of one container, outer groups around inner ones. A group that contains itself counts as outermost. */
export function groupScopes(members: readonly FlowNode[], prefix: string, container: Scope): GroupScopes {
  const groups = new Map(members.filter((node) => node.type === 'group').map((node) => [node.id, node]));
  const scopes = new Map<string, Scope>();

  function chain(id: unknown): FlowNode[] {
    const seen = new Set<FlowNode>();
    let group = typeof id === 'string' ? groups.get(id) : undefined;
    while (group !== undefined && !seen.has(group) && !scopes.has(group.id)) {
      seen.add(group);
      const outer = group.raw['g'];
      group = typeof outer === 'string' ? groups.get(outer) : undefined;
    }
    return [...seen].reverse();
  }

  return (id) => {
    for (const group of chain(id)) {
      const outer = group.raw['g'];
      const parent = (typeof outer === 'string' ? scopes.get(outer) : undefined) ?? container;
      const builtins = { NR_GROUP_NAME: group.name === '' ? undefined : group.name, NR_GROUP_ID: prefix + group.id };
      scopes.set(group.id, innerScope(parent, envEntries(group.raw['env']), builtins));
    }
    return (typeof id === 'string' ? scopes.get(id) : undefined) ?? container;
  };
}
