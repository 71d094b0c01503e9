import type { Message, NodeRed, ReceiveEvent } from './node-red-api.ts';

/** Marks a message that the gateway's tap put into Node-RED; copies of the message keep it. */
const TAP = Symbol.for('cigale.tap');

/** Nodes that only pass messages on: what goes through them is still what went in. */
const TRANSPARENT = /^(?:junction|link in|link out|subflow(?::.*)?)$/;

const isCigaleType = (type: string): boolean => type.startsWith('cigale-');

/** A message from a tap, for `send`. */
export const tapMessage = (message: Message): Message => ({ ...message, [TAP]: true });

/**
 * Keeps the two worlds apart. Between Cigale nodes the gateway itself carries the records, so a message from a tap
 * must not be delivered to a Cigale node, also not by way of junctions, links and subflows: it would come in twice.
 * Once a foreign node had it, it is that node's message and may be injected.
 */
function admits({ msg, destination }: ReceiveEvent): boolean {
  if (msg[TAP] !== true) return true;
  if (isCigaleType(destination.node.type)) return false;
  if (!TRANSPARENT.test(destination.node.type)) delete msg[TAP];
  return true;
}

export function installMessageGate(nodeRed: NodeRed): void {
  nodeRed.hooks.add('onReceive', (event) => (admits(event) ? undefined : false));
}
