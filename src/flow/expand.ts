import { envEntries, innerScope, substitute, type Scope } from './environment.ts';
import { isCigale, type ExpandedFlow, type ExpandedNode } from './expanded.ts';
import type { Findings } from './findings.ts';
import { checkWires, linkTargets, rawWires } from './raw-wires.ts';
import { MAX_NODES, reportDuplicate, reportTooLarge, type FlowNode } from './read-flow.ts';
import { groupScopes, type GroupScopes } from './group-scope.ts';
import { reportMissing, reportRecursion, reportTooDeep } from './subflow-findings.ts';
import { inputTargets, outputSources } from './subflow-ports.ts';

const MAX_SUBFLOW_DEPTH = 32;
const SUBFLOW_INSTANCE = /^subflow:(.+)$/;
/** What holds or documents nodes, but is none that runs. */
const NOT_RUNNING: ReadonlySet<string> = new Set(['tab', 'subflow', 'group', 'comment', 'global-config']);

/** One tab, one subflow instance, or what stands outside both. */
interface Container {
  readonly members: readonly FlowNode[];
  /** Ids of the members, as in the file. */
  readonly ids: ReadonlySet<string>;
  /** Empty, or `INSTANCE-`: Node-RED's id of a node in a subflow is `INSTANCE-ID` (`createNodeInSubflow`), so the chain of instances when nested. */
  readonly prefix: string;
  readonly scope: Scope;
  readonly groups: GroupScopes;
  /** `NR_NODE_PATH` without the node. */
  readonly path: string;
  /** Ids of the subflow definitions around it, outermost first. */
  readonly subflows: readonly string[];
}

/** A member on its way: its id is final, its wires still grow by those of the subflow's outputs. */
interface Member {
  readonly node: FlowNode;
  readonly id: string;
  readonly wires: string[][];
}

class Expansion {
  readonly #nodes: readonly FlowNode[];
  readonly #findings: Findings;
  readonly #links: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #definitions: ReadonlyMap<string, FlowNode>;
  readonly #membersOf = new Map<string, FlowNode[]>();
  readonly #expanded = new Map<string, ExpandedNode>();
  readonly #disabled = new Set<string>();
  #tooLarge = false;

  constructor(nodes: readonly FlowNode[], findings: Findings) {
    this.#nodes = nodes;
    this.#findings = findings;
    this.#links = linkTargets(nodes);
    this.#definitions = new Map(nodes.filter((node) => node.type === 'subflow').map((node) => [node.id, node]));
    for (const node of nodes) {
      const members = this.#membersOf.get(node.z);
      if (members === undefined) this.#membersOf.set(node.z, [node]);
      else members.push(node);
    }
  }

  run(outermost: Scope): ExpandedFlow {
    const global = this.#nodes.filter((node) => node.type === 'global-config').map((node) => node.raw['env']);
    const scope = innerScope(outermost, envEntries(...global), {});
    const tabs = new Map(this.#nodes.filter((node) => node.type === 'tab').map((node) => [node.id, node]));
    for (const [z, members] of this.#membersOf) {
      const tab = tabs.get(z);
      if (this.#definitions.has(z)) continue;
      if (tab?.raw['disabled'] === true) for (const node of members) this.#disabled.add(node.id);
      else this.#expand(this.#tabContainer(z, tab, members, scope));
    }
    return { nodes: this.#expanded, disabled: this.#disabled };
  }

  #tabContainer(z: string, tab: FlowNode | undefined, members: readonly FlowNode[], global: Scope): Container {
    const builtins = tab === undefined ? {} : { NR_FLOW_NAME: tab.raw['label'], NR_FLOW_ID: tab.id };
    const scope = innerScope(global, envEntries(tab?.raw['env']), builtins);
    return {
      members,
      ids: idsOf(members),
      prefix: '',
      scope,
      groups: groupScopes(members, '', scope),
      path: z || 'global',
      subflows: [],
    };
  }

  #expand(container: Container): void {
    const members = this.#membersWithWires(container);
    for (const member of members) this.#expandMember(member, container);
  }

  /** Ids on wires become those of the expanded nodes; inside a subflow a wire cannot leave but by its outputs. */
  #membersWithWires({ members, ids, prefix }: Container): Member[] {
    const running = members.filter((node) => !NOT_RUNNING.has(node.type));
    const target = (id: string): string[] => (prefix === '' || ids.has(id) ? [prefix + id] : []);
    return running.map((node) => ({
      node,
      id: prefix + node.id,
      wires: rawWires(node, this.#links).map((output) => output.flatMap(target)),
    }));
  }

  #expandMember(member: Member, container: Container): void {
    if (member.node.raw['d'] === true) {
      this.#disabled.add(member.id);
      return;
    }
    if (this.#tooLarge) return;
    const around = container.groups(member.node.raw['g']);
    const subflow = SUBFLOW_INSTANCE.exec(member.node.type)?.[1];
    if (subflow === undefined) this.#emit(member, container, around);
    else this.#expandInstance(member, subflow, container, around);
  }

  #expandInstance(instance: Member, subflow: string, container: Container, around: Scope): void {
    const { node, id } = instance;
    const definition = this.#definitions.get(subflow);
    if (definition === undefined) return reportMissing({ ...node, id }, subflow, this.#findings);
    if (container.subflows.includes(subflow)) return reportRecursion({ ...node, id }, this.#findings);
    if (container.subflows.length >= MAX_SUBFLOW_DEPTH) return reportTooDeep({ ...node, id }, this.#findings);
    const inner = this.#instanceContainer(instance, definition, container, around);
    const members = this.#membersWithWires(inner);
    const entrance = joinPorts(instance, definition, members);
    this.#emit({ node, id, wires: [entrance] }, container, around);
    for (const member of members) this.#expandMember(member, inner);
  }

  #instanceContainer(instance: Member, definition: FlowNode, container: Container, around: Scope): Container {
    const { node, id } = instance;
    const path = `${container.path}/${node.id}`;
    const scope = innerScope(around, envEntries(definition.raw['env'], node.raw['env']), {
      NR_NODE_NAME: node.raw['name'],
      NR_SUBFLOW_NAME: node.raw['name'],
      NR_NODE_ID: id,
      NR_SUBFLOW_ID: id,
      NR_NODE_PATH: path,
      NR_SUBFLOW_PATH: path,
    });
    const members = this.#membersOf.get(definition.id) ?? [];
    const prefix = `${id}-`;
    const subflows = [...container.subflows, definition.id];
    const groups = groupScopes(members, prefix, scope);
    return { members, ids: idsOf(members), prefix, scope, groups, path, subflows };
  }

  #emit({ node, id, wires }: Member, container: Container, around: Scope): void {
    if (this.#expanded.size >= MAX_NODES) {
      this.#tooLarge = true;
      reportTooLarge(this.#findings, 'nodes');
      return;
    }
    const scope = innerScope(around, new Map(), {
      NR_NODE_NAME: node.raw['name'],
      NR_NODE_ID: id,
      NR_NODE_PATH: `${container.path}/${node.id}`,
    });
    const name = isCigale(node) ? String(substitute(node.name, scope, [])) : node.name;
    const raw = container.prefix === '' ? node.raw : remapped(node.raw, container);
    const expanded = { id, name, type: node.type, raw, wires, scope, inSubflow: container.prefix !== '' };
    if (isCigale(node)) checkWires(node, this.#findings);
    if (this.#expanded.has(id)) reportDuplicate(expanded, this.#findings);
    else this.#expanded.set(id, expanded);
  }
}

const idsOf = (members: readonly FlowNode[]): ReadonlySet<string> => new Set(members.map((node) => node.id));

/** Inside a subflow a property that is the id of a node of the same subflow means its copy, as in Node-RED's `remapSubflowNodes`. */
function remapped(raw: FlowNode['raw'], { ids, prefix }: Container): FlowNode['raw'] {
  const entries = Object.entries(raw).map(([name, value]): [string, unknown] =>
    name !== 'id' && name !== 'name' && typeof value === 'string' && ids.has(value)
      ? [name, prefix + value]
      : [name, value],
  );
  return Object.fromEntries(entries);
}

/** Wires what feeds the subflow's outputs to what the instance is wired to; gives the ids that its input leads to. */
function joinPorts(instance: Member, definition: FlowNode, members: readonly Member[]): string[] {
  const byId = new Map(members.map((member) => [member.node.id, member]));
  const entrance = inputTargets(definition).flatMap((id) => byId.get(id)?.id ?? []);
  outputSources(definition).forEach((sources, output) => {
    const outside = instance.wires[output] ?? [];
    for (const source of sources) {
      if (source.fromInput) {
        entrance.push(...outside);
        continue;
      }
      const wires = byId.get(source.id)?.wires;
      if (wires === undefined) continue;
      while (wires.length <= source.output) wires.push([]);
      wires[source.output]?.push(...outside);
    }
  });
  return entrance;
}

/**
 * The flow as Node-RED runs it: disabled tabs and nodes left out, links joined, subflow instances replaced by copies of
 * their nodes with Node-RED's own ids. Junctions, links and instances stay as nodes that pass on; `wire-trace.ts` sees through them.
 */
export const expandFlow = (nodes: readonly FlowNode[], outermost: Scope, findings: Findings): ExpandedFlow =>
  new Expansion(nodes, findings).run(outermost);
