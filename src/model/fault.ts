import type { Text } from './text.ts';

/** What is wrong with a flow, by node; all faults of a flow are reported at once. */
export interface FlowFault {
  /** Stable, upper-case: `PROPERTY_MISSING`, `UNKNOWN_NODE_TYPE` … */
  readonly code: string;
  /** Node-RED id of the node at fault; empty when the flow as a whole is. */
  readonly node: string;
  readonly nodeName: string;
  readonly nodeType: string;
  /** Property at fault, or empty. */
  readonly field: string;
  /** What is wrong and what to do. */
  readonly message: Text;
}
