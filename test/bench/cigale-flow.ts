import { BATCH, type Place } from './candidate.ts';

/** One serial node → noise levels of a minute; samples and aggregates → one stream. Everything else at its default. */
export const cigaleFlow = ({ linePath, brokerPort }: Place, changes: FlowChanges = {}): unknown[] => [
  { id: 't', type: 'tab', label: 'bench' },
  { id: 'g', type: 'cigale-gateway', name: '', version: 1, gateway: 'gw-bench', ...changes.gateway },
  {
    id: 'b',
    type: 'cigale-broker',
    name: '',
    version: 1,
    url: `mqtt://127.0.0.1:${brokerPort}`,
    protocol: 5,
    topicPrefix: 'bench/v1',
  },
  { id: 'p', type: 'cigale-port', name: '', version: 1, path: linePath, baudRate: 115_200 },
  {
    id: 's',
    type: 'cigale-serial',
    z: 't',
    name: '',
    version: 1,
    port: 'p',
    format: 'csv',
    separator: ',',
    place: 'place-bench',
    device: 'dev-bench',
    channels: [{ key: '0', quantity: 'LAeq', averaging: '5ms' }],
    wires: [['n', 'd'], []],
  },
  {
    id: 'n',
    type: 'cigale-noise',
    z: 't',
    name: '',
    version: 1,
    periods: ['1m'],
    levels: [10, 50, 90],
    wires: [['d'], []],
  },
  {
    id: 'd',
    type: 'cigale-send',
    z: 't',
    name: '',
    version: 1,
    broker: 'b',
    stream: 'all',
    maxRecords: BATCH.records,
    maxAge: `${BATCH.ageMs / 1000}s`,
    wires: [],
    ...changes.send,
  },
];

export interface FlowChanges {
  readonly gateway?: Readonly<Record<string, unknown>>;
  readonly send?: Readonly<Record<string, unknown>>;
}
