import type { DeviceIdentity } from '../../src/sources/simulate/lora-device.ts';

export const KILL_DEVICE: DeviceIdentity = {
  devAddr: '0000d001',
  nwkSKey: '11111111111111111111111111111111',
  appSKey: '22222222222222222222222222222222',
};

export const KILL_REGISTRY = `place,device,model,lorawan,dev_eui,dev_addr,nwk_s_key,app_s_key,interval,channels,from
place-lora,dev-lora,kill-codec,abp,00aa00bb00d00001,${KILL_DEVICE.devAddr},${KILL_DEVICE.nwkSKey},${KILL_DEVICE.appSKey},1s,n=number:1|t=airTemperature:°C|c=pedestrianCount:1,2020-01-01T00:00:00Z
`;

/** Numbers of 32 bits, a temperature in 0.1 °C, a count. */
export const KILL_CODEC = `function decodeUplink(input) {
  var b = input.bytes;
  return { data: { n: b[0] * 16777216 + b[1] * 65536 + b[2] * 256 + b[3], t: (b[4] * 256 + b[5]) / 10, c: b[6] } };
}
`;

/** A flow whose every record goes to the stream \`all\`, so that received ids must be without gap. */
export const killFlow = (
  ports: { line: number; udp: number; mqtt: number },
  settings: Readonly<Record<string, unknown>> = {},
): unknown[] => [
  { id: '1', type: 'tab', label: 'kill' },
  {
    id: 'a0',
    type: 'cigale-gateway',
    name: '',
    version: 1,
    gateway: 'gw-kill',
    timezone: 'Europe/Paris',
    commitInterval: '200ms',
    keepAfterAck: '1h',
    ...settings,
  },
  {
    id: 'a1',
    type: 'cigale-broker',
    name: '',
    version: 1,
    url: `mqtt://127.0.0.1:${ports.mqtt}`,
    protocol: 5,
    topicPrefix: 'kill/v1',
  },
  { id: 'a2', type: 'cigale-port', name: '', version: 1, path: `tcp://127.0.0.1:${ports.line}`, delimiter: '\r\n' },
  {
    id: 'a3',
    type: 'cigale-concentrator',
    name: '',
    version: 1,
    kind: 'udp',
    bind: '127.0.0.1',
    port: ports.udp,
    region: 'EU868',
  },
  {
    id: 'b1',
    type: 'cigale-serial',
    z: '1',
    name: '',
    version: 1,
    port: 'a2',
    format: 'csv',
    separator: ',',
    place: 'place-line',
    device: 'dev-line',
    channels: [
      { key: '0', quantity: 'number' },
      { key: '1', quantity: 'LAeq', averaging: '10ms' },
    ],
    wires: [['c1', 'd1'], []],
  },
  {
    id: 'b2',
    type: 'cigale-lora',
    z: '1',
    name: '',
    version: 1,
    concentrator: 'a3',
    select: {},
    wires: [['c2', 'c3', 'd1']],
  },
  {
    id: 'c1',
    type: 'cigale-noise',
    z: '1',
    name: '',
    version: 1,
    periods: ['1m'],
    levels: [10, 50, 90],
    wires: [['d1'], []],
  },
  { id: 'c2', type: 'cigale-heat', z: '1', name: '', version: 1, periods: ['1m'], wires: [['d1']] },
  {
    id: 'c3',
    type: 'cigale-count',
    z: '1',
    name: '',
    version: 1,
    periods: ['1m'],
    counter: 'interval',
    wires: [['d1']],
  },
  {
    id: 'd1',
    type: 'cigale-send',
    z: '1',
    name: '',
    version: 1,
    broker: 'a1',
    stream: 'all',
    maxRecords: 200,
    maxAge: '100ms',
    order: 'in-order',
    wires: [],
  },
];
