import type { NodeType } from './node-type.ts';
import { brokerNode } from './nodes/broker.ts';
import { concentratorNode } from './nodes/concentrator.ts';
import { countNode } from './nodes/count.ts';
import { gatewayNode } from './nodes/gateway.ts';
import { heatNode } from './nodes/heat.ts';
import { loraNode } from './nodes/lora.ts';
import { noiseNode } from './nodes/noise.ts';
import { portNode } from './nodes/port.ts';
import { sendNode } from './nodes/send.ts';
import { serialNode } from './nodes/serial.ts';

/** Every node type of this version. */
export const NODE_TYPES: readonly NodeType[] = [
  gatewayNode,
  brokerNode,
  portNode,
  concentratorNode,
  serialNode,
  loraNode,
  noiseNode,
  heatNode,
  countNode,
  sendNode,
];

/** Types that later versions bring: a flow that uses them is refused, because leaving them out would change what it says. */
export const LATER_NODE_TYPES: readonly string[] = ['cigale-check', 'cigale-share', 'cigale-watch'];

const BY_TYPE: ReadonlyMap<string, NodeType> = new Map(NODE_TYPES.map((entry) => [entry.type, entry]));

export const findNodeType = (type: string): NodeType | undefined => BY_TYPE.get(type);
