import type { Language, Text } from '../model/text.ts';
import type { FlowNode, NodeConfig, NodeRed } from './node-red-api.ts';

const TEXT: Text = { en: 'unknown type', fr: 'type inconnu' };

/**
 * Node-RED stops all flows when one node's type is not installed. Each missing type gets an inert stand-in instead: that
 * node does nothing and says so, the others run; the editor still shows it as unknown.
 */
export function installPlaceholders(
  nodeRed: NodeRed,
  language: Language,
  onMissing: (types: readonly string[]) => void,
): void {
  nodeRed.events.on('runtime-event', ({ payload }) => {
    if (payload?.error !== 'missing-types') return;
    // Registering a type shortens Node-RED's own list of missing types, so a copy is walked.
    const types = Array.from(payload.types ?? []);
    for (const type of types) {
      nodeRed.nodes.registerType('', type, function placeholder(this: FlowNode, config: NodeConfig) {
        nodeRed.nodes.createNode(this, config);
        this.status({ fill: 'red', shape: 'ring', text: TEXT[language] });
      });
    }
    onMissing(types);
  });
}
