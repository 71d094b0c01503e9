import type { GatewayPort, GatewayStatus } from '../api/gateway-port.ts';
import type { Store } from '../store/store.ts';
import type { Deps } from './deps.ts';
import type { FlowControl } from './flow-control.ts';
import type { Injection } from './injection.ts';
import type { LiveHub } from './live.ts';
import { RegistryControl } from './registry-control.ts';
import { streamsInUse } from './streams-in-use.ts';

export interface ControlParts {
  readonly store: Store;
  readonly flow: FlowControl;
  readonly injection: Injection;
  readonly live: LiveHub;
  readonly deps: Deps;
  readonly status: () => Promise<GatewayStatus>;
  readonly latest: GatewayPort['latest'];
  readonly heard: GatewayPort['heard'];
  readonly serialPorts: GatewayPort['serialPorts'];
  readonly setClock: GatewayPort['setClock'];
  /** Resolves once a change of the registry is in force in what runs. */
  readonly registryInForce: () => Promise<void>;
}

/** The gateway as the API sees it. */
export function gatewayPort(parts: ControlParts): GatewayPort {
  const { store, flow, injection, live, deps } = parts;
  const registry = new RegistryControl(store, deps);
  return {
    store,
    metrics: deps.metrics,
    status: parts.status,
    currentFlow: () => flow.current(),
    checkFlow: (json) => flow.check(json),
    deploy: (request) => flow.deploy(request),
    rollback: (version, author) => flow.rollback(version, author),
    setSecret: (node, field, value) => flow.setSecret(node, field, value),
    inject: (request) => injection.inject(request, flow.plan),
    latest: parts.latest,
    heard: parts.heard,
    importRegistry: async (csv, options) => {
      const report = await registry.importCsv(csv, flow.plan?.gateway.timezone ?? 'Europe/Paris', options);
      await parts.registryInForce();
      return report;
    },
    exportRegistry: (withKeys) => registry.exportCsv(withKeys),
    replaceDevice: (place, device, replaced) => registry.replace(place, device, replaced),
    saveCodec: (name, script) => registry.saveCodec(name, script),
    setClock: parts.setClock,
    serialPorts: parts.serialPorts,
    streamsInUse: async () => streamsInUse(flow.plan, (await flow.current()).flow),
    subscribe: (listener) => live.subscribe(listener),
  };
}
