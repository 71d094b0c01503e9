export const OUTAGE_STREAM = 'all';
export const OUTAGE_PREFIX = 'outage/v1';
export const LIVE_PLACE = 'place-line';

/** One noise meter on a line, sent to one stream whose backlog may go at `backlogRate` records a second. */
export const outageFlow = (ports: { line: number; mqtt: number }, backlogRate: number): unknown[] => [
  { id: '1', type: 'tab', label: 'outage' },
  {
    id: 'a0',
    type: 'cigale-gateway',
    name: '',
    version: 1,
    gateway: 'gw-outage',
    commitInterval: '500ms',
    keepAfterAck: '1h',
  },
  {
    id: 'a1',
    type: 'cigale-broker',
    name: '',
    version: 1,
    url: `mqtt://127.0.0.1:${ports.mqtt}`,
    protocol: 5,
    topicPrefix: OUTAGE_PREFIX,
  },
  { id: 'a2', type: 'cigale-port', name: '', version: 1, path: `tcp://127.0.0.1:${ports.line}`, delimiter: '\r\n' },
  {
    id: 'b1',
    type: 'cigale-serial',
    z: '1',
    name: '',
    version: 1,
    port: 'a2',
    format: 'csv',
    separator: ',',
    place: LIVE_PLACE,
    device: 'dev-line',
    channels: [
      { key: '0', quantity: 'number' },
      { key: '1', quantity: 'LAeq', averaging: '100ms' },
    ],
    wires: [['d1'], []],
  },
  {
    id: 'd1',
    type: 'cigale-send',
    z: '1',
    name: '',
    version: 1,
    broker: 'a1',
    stream: OUTAGE_STREAM,
    maxRecords: 1000,
    maxAge: '1s',
    order: 'live-first',
    backlogRate,
    wires: [],
  },
];
