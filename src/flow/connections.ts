import { outputKey } from '../model/ids.ts';
import { isCigale, isPassThrough, type ExpandedFlow, type ExpandedNode } from './expanded.ts';
import type { Findings } from './findings.ts';
import { findNodeType } from './node-types.ts';
import type { NodeType } from './node-type.ts';
import {
  reportBadWire,
  reportCrossing,
  reportDangling,
  reportEventsEmpty,
  reportLinkCall,
  reportOutputUnknown,
} from './wire-findings.ts';
import { WireTrace } from './wire-trace.ts';

/** What the wires of a flow say: which Cigale node feeds which, and where foreign nodes take part. */
export interface Connections {
  /** By `outputKey`: the Cigale nodes that an output feeds, by id, sorted. Empty ones are absent. */
  readonly feeds: ReadonlyMap<string, readonly string[]>;
  /** By id of a rule or sink: ids of the Cigale nodes that feed it. */
  readonly fedBy: ReadonlyMap<string, readonly string[]>;
  /** Outputs wired to foreign nodes. */
  readonly taps: readonly string[];
  /** Cigale nodes with an input that a foreign node is wired to. */
  readonly injectable: ReadonlySet<string>;
}

const isCall = (node: ExpandedNode): boolean => node.type === 'link call' || node.type === 'link out';

class Connecting {
  readonly #flow: ExpandedFlow;
  readonly #findings: Findings;
  readonly #trace: WireTrace;
  readonly #feeds = new Map<string, readonly string[]>();
  readonly #fedBy = new Map<string, string[]>();
  readonly #taps: string[] = [];
  readonly #injectable = new Set<string>();
  /** By id of a foreign node: the foreign nodes wired to it; and those wired to a Cigale input. */
  readonly #foreignBefore = new Map<string, string[]>();
  readonly #intoCigale: string[] = [];
  /** Foreign ends of Cigale outputs, to find crossings. */
  readonly #outOfCigale: { readonly from: ExpandedNode; readonly to: readonly ExpandedNode[] }[] = [];

  constructor(flow: ExpandedFlow, findings: Findings) {
    this.#flow = flow;
    this.#findings = findings;
    this.#trace = new WireTrace(flow, findings);
  }

  run(): Connections {
    for (const node of this.#flow.nodes.values()) {
      const type = findNodeType(node.type);
      if (type !== undefined) this.#fromCigale(node, type);
      else if (!isCigale(node) && !isPassThrough(node)) this.#fromForeign(node);
    }
    this.#findCrossings();
    return { feeds: this.#feeds, fedBy: this.#fedBy, taps: this.#taps.sort(), injectable: this.#injectable };
  }

  #fromCigale(node: ExpandedNode, type: NodeType): void {
    node.wires.forEach((wires, output) => {
      if (output >= type.outputs.length && wires.length > 0) reportOutputUnknown(node, output, this.#findings);
    });
    type.outputs.forEach((kind, output) => {
      const { nodes, dangling } = this.#trace.ends(node, output);
      for (const id of dangling) reportDangling(node, id, this.#findings);
      const foreign = nodes.filter((end) => !isCigale(end));
      for (const call of foreign.filter(isCall)) reportLinkCall(node, call, this.#findings);
      if (foreign.length > 0) {
        this.#taps.push(outputKey(node.id, output));
        this.#outOfCigale.push({ from: node, to: foreign });
        if (kind === 'events') reportEventsEmpty(node, this.#findings);
      }
      this.#feed(node, output, kind, nodes.filter(isCigale));
    });
  }

  #feed(node: ExpandedNode, output: number, kind: NodeType['outputs'][number], ends: readonly ExpandedNode[]): void {
    const fed = ends.filter((end) => {
      const type = findNodeType(end.type);
      if (type === undefined) return false;
      if (type.accepts.includes(kind)) return true;
      reportBadWire(node, kind, end, type, this.#findings);
      return false;
    });
    if (fed.length === 0) return;
    this.#feeds.set(
      outputKey(node.id, output),
      fed.map((end) => end.id),
    );
    for (const end of fed) append(this.#fedBy, end.id, node.id);
  }

  #fromForeign(node: ExpandedNode): void {
    node.wires.forEach((_wires, output) => {
      for (const end of this.#trace.ends(node, output).nodes) {
        const type = findNodeType(end.type);
        if (!isCigale(end)) append(this.#foreignBefore, end.id, node.id);
        else if (type !== undefined && type.accepts.length > 0) {
          this.#injectable.add(end.id);
          this.#intoCigale.push(node.id);
        }
      }
    });
  }

  /** Walks back from the foreign nodes that feed Cigale nodes; an output that meets them crosses foreign nodes. */
  #findCrossings(): void {
    const leading = new Set<string>();
    const open = [...this.#intoCigale];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (leading.has(id)) continue;
      leading.add(id);
      open.push(...(this.#foreignBefore.get(id) ?? []));
    }
    for (const { from, to } of this.#outOfCigale) {
      const through = to.find((node) => leading.has(node.id));
      if (through !== undefined) reportCrossing(from, through, this.#findings);
    }
  }
}

function append(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** Traces every wire of the flow, reporting those that cannot be. */
export const connect = (flow: ExpandedFlow, findings: Findings): Connections => new Connecting(flow, findings).run();
