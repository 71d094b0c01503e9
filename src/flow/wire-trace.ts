import { isPassThrough, type ExpandedFlow, type ExpandedNode } from './expanded.ts';
import type { Findings } from './findings.ts';
import { reportTooLarge } from './read-flow.ts';

/** Wires followed in one compilation; a drawn flow needs a few thousand. */
const MAX_STEPS = 5_000_000;

/** Where an output leads once junctions, links and subflow borders are seen through. */
export interface Ends {
  readonly nodes: readonly ExpandedNode[];
  /** Ids that no node has, enabled or not. */
  readonly dangling: readonly string[];
}

/** Follows wires through everything that only passes messages on. A wire to a disabled node ends there, as in Node-RED. */
export class WireTrace {
  readonly #flow: ExpandedFlow;
  readonly #findings: Findings;
  #stepsLeft = MAX_STEPS;

  constructor(flow: ExpandedFlow, findings: Findings) {
    this.#flow = flow;
    this.#findings = findings;
  }

  ends(node: ExpandedNode, output: number): Ends {
    const seen = new Set<string>();
    const nodes: ExpandedNode[] = [];
    const dangling: string[] = [];
    const open = [...(node.wires[output] ?? [])];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (!this.#step()) break;
      if (seen.has(id)) continue;
      seen.add(id);
      const target = this.#flow.nodes.get(id);
      if (target === undefined) {
        if (!this.#flow.disabled.has(id)) dangling.push(id);
      } else if (isPassThrough(target)) for (const next of target.wires[0] ?? []) open.push(next);
      else nodes.push(target);
    }
    return { nodes: nodes.sort((a, b) => (a.id < b.id ? -1 : 1)), dangling };
  }

  #step(): boolean {
    this.#stepsLeft -= 1;
    if (this.#stepsLeft === -1) reportTooLarge(this.#findings, 'wires');
    return this.#stepsLeft >= 0;
  }
}
