import { describe, expect, it } from 'vitest';
import { compileFlow } from '../../src/flow/compile.ts';
import { freshProperties, NODE_TYPES, editorDefinition } from './node-files.ts';

/** A node fresh from the palette, with only what a technician must type. */
const fresh = (type: string, typed: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: `id-${type}`,
  type,
  z: editorDefinition(type).category === 'config' ? '' : 't1',
  ...freshProperties(type),
  wires: Array.from({ length: editorDefinition(type).outputs ?? 0 }, () => []),
  ...typed,
});

const FLOW = [
  { id: 't1', type: 'tab', label: 'Mesures' },
  fresh('cigale-gateway', { gateway: 'gw-istres-01' }),
  fresh('cigale-broker', { url: 'mqtts://mqtt.example.fr:8883' }),
  fresh('cigale-port', { path: '/dev/ttyUSB0' }),
  fresh('cigale-concentrator'),
  fresh('cigale-serial', {
    port: 'id-cigale-port',
    place: 'quai',
    device: 'sonometre-1',
    channels: [{ key: '0', quantity: 'LAeq' }],
    wires: [['id-cigale-noise'], []],
  }),
  fresh('cigale-lora', {
    concentrator: 'id-cigale-concentrator',
    wires: [['id-cigale-heat', 'id-cigale-count']],
  }),
  fresh('cigale-noise', { wires: [['id-cigale-send'], []] }),
  fresh('cigale-heat', { wires: [['id-cigale-send']] }),
  fresh('cigale-count', { wires: [['id-cigale-send']] }),
  fresh('cigale-send', { broker: 'id-cigale-broker', stream: 'ville' }),
];

describe('the values that a form gives', () => {
  it('compile without fault or notice for every node type', () => {
    const types = FLOW.slice(1).map((node) => String(node['type']));
    expect(types.toSorted()).toEqual(NODE_TYPES.toSorted());
    const { faults, notices } = compileFlow(FLOW, { env: {} });
    expect(faults).toEqual([]);
    expect(notices).toEqual([]);
  });

  it('are the defaults of the gateway: a flow without them compiles to the same plan', () => {
    const structure = ['id', 'type', 'z', 'wires', 'label'];
    const typed = ['gateway', 'url', 'path', 'port', 'place', 'device', 'channels', 'concentrator', 'broker', 'stream'];
    const kept = new Set([...structure, ...typed]);
    const bare = FLOW.map((node) =>
      Object.fromEntries(
        Object.entries(node).filter(
          ([name]) => kept.has(name) && !(node['type'] === 'cigale-concentrator' && name === 'port'),
        ),
      ),
    );
    expect(compileFlow(bare, { env: {} }).plan).toEqual(compileFlow(FLOW, { env: {} }).plan);
  });
});
