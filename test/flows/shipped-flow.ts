import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const FLOWS = resolve(import.meta.dirname, '../../flows');

export type FlowNode = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly type: string;
  readonly z?: string;
};

/** Names of the shipped flows that stand alone, such as `bruit.json`. */
export const SHIPPED: readonly string[] = readdirSync(FLOWS).filter((name) => name.endsWith('.json'));

export const readShipped = (name: string): readonly FlowNode[] =>
  JSON.parse(readFileSync(join(FLOWS, name), 'utf8')) as readonly FlowNode[];

export const read = (name: string): string => readFileSync(join(FLOWS, name), 'utf8');

/** Where the simulated sensors and brokers of a test are. */
export interface Addresses {
  readonly serial: number;
  readonly udp: number;
  /** Port of a broker, by the node's id. */
  readonly brokers: Readonly<Record<string, number>>;
}

/** A shipped flow with the addresses of a test, its batches sent at once; nothing else is changed. */
export const atAddresses = (flow: readonly FlowNode[], addresses: Addresses): readonly FlowNode[] =>
  flow.map((node) => {
    switch (node.type) {
      case 'cigale-port':
        return { ...node, path: `tcp://127.0.0.1:${addresses.serial}` };
      case 'cigale-concentrator':
        return { ...node, port: addresses.udp };
      case 'cigale-broker': {
        const url = `mqtt://127.0.0.1:${addresses.brokers[node.id] ?? 0}`;
        // The broker of the tests speaks MQTT 3.1.1 only.
        return { ...node, url, protocol: 4, acceptSilentLoss: true };
      }
      case 'cigale-send':
        return { ...node, maxAge: '200ms' };
      default:
        return node;
    }
  });
