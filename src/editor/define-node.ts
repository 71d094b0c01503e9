import { QUANTITIES } from '../model/quantity.ts';
import { messageOf } from '../runtime/errors.ts';
import { GatewayLink } from './gateway-link.ts';
import { injectedSamples } from './injected-sample.ts';
import { tapMessage } from './message-gate.ts';
import type { Done, FlowNode, Message, NodeApi, TypeOptions } from './node-red-api.ts';
import { LINK_SETTING } from './node-red-settings.ts';

interface NodeDefinition {
  readonly type: string;
  /** 1 when foreign nodes may send samples into it. */
  readonly inputs: 0 | 1;
  /** Number of outputs. */
  readonly outputs: number;
}

type NodeModule = (api: NodeApi) => void;

const linkOf = (api: NodeApi): GatewayLink | undefined => {
  const link = api.settings[LINK_SETTING];
  return link instanceof GatewayLink ? link : undefined;
};

/** Quantities for the forms of `type`, under the name that Node-RED's rules ask for. */
const quantitySetting = (type: string): TypeOptions => {
  const camel = type.replaceAll(/-([a-z])/g, (_all, letter: string) => letter.toUpperCase());
  const value = QUANTITIES.map(({ id, unit, domain, name }) => ({ id, unit, domain, name }));
  return { settings: { [`${camel}Quantities`]: { value, exportable: true } } };
};

/**
 * The module of a Cigale node as Node-RED runs it: a window on the node of that id in the gateway. It shows the
 * gateway's status, emits what the gateway says of a tapped output, and hands foreign messages in. It computes nothing.
 */
export function defineNode(definition: NodeDefinition): NodeModule {
  return (api) => {
    const link = linkOf(api);
    api.nodes.registerType(
      definition.type,
      function construct(this: FlowNode, config) {
        api.nodes.createNode(this, config);
        if (link !== undefined) connect(this, definition, link);
      },
      quantitySetting(definition.type),
    );
  };
}

/** The module of a configuration node: values and credentials only. */
export function defineConfigNode(type: string, options: TypeOptions = {}): NodeModule {
  return (api) => {
    api.nodes.registerType(
      type,
      function construct(this: FlowNode, config) {
        api.nodes.createNode(this, config);
      },
      options,
    );
  };
}

function connect(node: FlowNode, { inputs, outputs }: NodeDefinition, link: GatewayLink): void {
  let shown = '';
  const detach = link.attach(node.id, {
    showStatus(status) {
      const next = JSON.stringify(status);
      if (next === shown) return;
      shown = next;
      node.status(status);
    },
    emit({ output, topic = '', payload }) {
      if (output < 0 || output >= outputs) return;
      const messages: (Message | null)[] = Array.from({ length: outputs }, () => null);
      messages[output] = tapMessage({ topic, payload });
      node.send(messages);
    },
  });
  if (inputs === 1) {
    node.on('input', (message, _send, done) => inject(node.id, message, link, done));
  }
  node.on('close', (done) => {
    detach();
    done();
  });
}

/** `done` is called once: with the first refusal, or when every sample of the message is on disk. */
function inject(id: string, message: Message, link: GatewayLink, done: Done): void {
  try {
    const samples = injectedSamples(message.payload);
    let open = samples.length;
    let refused: Error | undefined;
    for (const sample of samples) {
      link.inject(id, sample, (result) => {
        refused ??= result;
        open -= 1;
        if (open === 0) done(refused);
      });
    }
  } catch (error) {
    done(error instanceof Error ? error : new Error(messageOf(error)));
  }
}
