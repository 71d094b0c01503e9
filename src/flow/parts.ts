import type {
  BrokerSettings,
  ConcentratorSettings,
  GatewaySettings,
  LoraSourceSettings,
  PortSettings,
  RuleSettings,
  SerialSourceSettings,
  StreamSettings,
} from '../model/plan.ts';
import type { ExpandedFlow, ExpandedNode } from './expanded.ts';
import { isCigale } from './expanded.ts';
import type { Findings } from './findings.ts';
import type { NodeType } from './node-type.ts';
import { findNodeType, LATER_NODE_TYPES } from './node-types.ts';
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
import { reportConfigInSubflow } from './subflow-findings.ts';

/** Settings of the nodes that could be read, each list sorted by node id, so that a flow saved in another order is the same plan. */
export interface Parts {
  readonly gateways: readonly GatewaySettings[];
  readonly brokers: readonly BrokerSettings[];
  readonly ports: readonly PortSettings[];
  readonly concentrators: readonly ConcentratorSettings[];
  readonly serialSources: readonly SerialSourceSettings[];
  readonly loraSources: readonly LoraSourceSettings[];
  readonly rules: readonly RuleSettings[];
  readonly streams: readonly StreamSettings[];
}

function reportType(node: ExpandedNode, findings: Findings): void {
  if (LATER_NODE_TYPES.includes(node.type)) {
    findings.fault('NOT_IN_THIS_VERSION', node, 'type', {
      en: `The node ${node.type} is not in this version: remove or disable it.`,
      fr: `Le nœud ${node.type} n'existe pas dans cette version : supprimez-le ou désactivez-le.`,
    });
    return;
  }
  findings.fault('UNKNOWN_NODE_TYPE', node, 'type', {
    en: `There is no node type ${node.type}: remove it, or update the gateway.`,
    fr: `Le type de nœud ${node.type} n'existe pas : supprimez-le, ou mettez la passerelle à jour.`,
  });
}

/** Reads every Cigale node, reporting all of their faults. */
export function readParts(flow: ExpandedFlow, findings: Findings): Parts {
  const nodes = [...flow.nodes.values()].filter(isCigale).sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const node of nodes) {
    const type = findNodeType(node.type);
    if (type === undefined) reportType(node, findings);
    else if (type.role === 'config' && node.inSubflow) reportConfigInSubflow(node, findings);
  }
  const read = <Settings>(type: NodeType<Settings>): Settings[] =>
    nodes
      .filter((node) => node.type === type.type)
      .flatMap((node) => {
        const settings = type.read(node, { flow, findings });
        return settings === null ? [] : [settings];
      });
  const rules: RuleSettings[] = [...read(noiseNode), ...read(heatNode), ...read(countNode)];
  return {
    gateways: read(gatewayNode),
    brokers: read(brokerNode),
    ports: read(portNode),
    concentrators: read(concentratorNode),
    serialSources: read(serialNode),
    loraSources: read(loraNode),
    rules: rules.sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1)),
    streams: read(sendNode),
  };
}
