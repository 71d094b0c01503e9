import type { NodeRef } from './findings.ts';
import type { Scope } from './environment.ts';

/** An enabled node as it runs: subflows are expanded, ids are those that Node-RED gives. */
export interface ExpandedNode extends NodeRef {
  readonly raw: Readonly<Record<string, unknown>>;
  /** By output: ids of expanded nodes; some may not exist. */
  readonly wires: readonly (readonly string[])[];
  /** What `${NAME}` stands for in its properties. */
  readonly scope: Scope;
  readonly inSubflow: boolean;
}

/** All enabled nodes by id, and the ids of disabled ones. */
export interface ExpandedFlow {
  readonly nodes: ReadonlyMap<string, ExpandedNode>;
  readonly disabled: ReadonlySet<string>;
}

/** Node types that only pass messages on; a link that returns is not one. */
export const isPassThrough = (node: ExpandedNode): boolean =>
  node.type === 'junction' ||
  node.type === 'link in' ||
  (node.type === 'link out' && node.raw['mode'] !== 'return') ||
  node.type.startsWith('subflow:');

export const isCigale = (node: NodeRef): boolean => node.type.startsWith('cigale-');
