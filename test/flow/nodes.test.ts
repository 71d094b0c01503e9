import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { expandFlow } from '../../src/flow/expand.ts';
import { processScope } from '../../src/flow/environment.ts';
import { requiredText } from '../../src/flow/fields.ts';
import { Findings } from '../../src/flow/findings.ts';
import { defineNode } from '../../src/flow/node-type.ts';
import { readNodes } from '../../src/flow/read-flow.ts';
import {
  broker,
  compile,
  concentrator,
  faultsOf,
  flowOf,
  gateway,
  lora,
  noticesOf,
  planOf,
  port,
  rule,
  send,
  serial,
  type Json,
} from './flow-builder.ts';

const withSerial = (more: Json): Json[] => flowOf(serial(more), send());
const withPort = (more: Json): Json[] => [gateway(), broker(), port(more), serial(), send()];
const withBroker = (more: Json): Json[] => [gateway(), broker(more), port(), serial(), send()];
const withSend = (more: Json): Json[] => flowOf(serial(), send(more));
const withGateway = (more: Json): Json[] => [gateway(more), broker(), port(), serial(), send()];
const withRule = (kind: 'noise' | 'heat' | 'count', more: Json): Json[] => [
  ...flowOf(rule(kind, more), send()),
  concentrator(),
  lora({ wires: [[kind]] }),
];
const withLora = (more: Json, of: Json = {}): Json[] => [...flowOf(send()), concentrator(of), lora(more)];

const plainPlan = planOf(withRule('noise', {}));
const codes = (flow: unknown): string[] => compile(flow).faults.map((fault) => fault.code);

describe('an empty property', () => {
  it('takes its default', () => {
    const plan = planOf([...flowOf(serial(), send()), concentrator(), lora()]);
    expect(plan.gateway).toEqual({
      nodeId: 'gateway',
      gateway: 'gw-test',
      timezone: 'Europe/Paris',
      commitIntervalMs: 1000,
      diskLimitMb: null,
      keepAfterAckMs: 7 * 86_400_000,
    });
    expect(plan.brokers[0]).toMatchObject({ protocol: 5, topicPrefix: 'cigale/v1', clientId: '', caFile: '' });
    expect(plan.ports[0]).toMatchObject({
      baudRate: 9600,
      dataBits: 8,
      parity: 'none',
      stopBits: 1,
      delimiter: '\r\n',
      maxFrameBytes: 1024,
    });
    expect(plan.concentrators[0]).toMatchObject({ kind: 'udp', bind: '127.0.0.1', port: 1700, region: 'EU868' });
    expect(plan.serialSources[0]).toMatchObject({
      format: 'csv',
      separator: ',',
      checksum: 'auto',
      poll: null,
      silentAfterMs: 300_000,
      channels: [{ key: '0', channel: '', unit: '', scale: 1, offset: 0, averagingMs: null }],
    });
    expect(plan.loraSources[0]).toMatchObject({ places: [], tags: [], quantities: [] });
    expect(plan.streams[0]).toMatchObject({
      maxRecords: 1000,
      maxBytes: 524_288,
      maxAgeMs: 10_000,
      order: 'live-first',
      backlogRate: 500,
      since: 'deploy',
      format: 'json',
      compress: 'deflate',
    });
    expect(plainPlan.rules[0]).toMatchObject({
      domain: 'noise',
      periodsMs: [60_000, 900_000, 3_600_000],
      levels: [10, 50, 90],
      minCoverage: 0.75,
    });
  });

  it('as a form stores it (empty text, null) is the same as an absent one', () => {
    const blank = { baudRate: '', dataBits: null, parity: '  ', delimiter: '', maxFrameBytes: '' };
    expect(planOf(withPort(blank))).toEqual(planOf(withPort({})));
  });

  it('that is required is a fault', () => {
    expect(faultsOf(withSerial({ place: ' ', device: '', port: undefined }))).toEqual([
      'PROPERTY_MISSING serial port',
      'PROPERTY_MISSING serial place',
      'PROPERTY_MISSING serial device',
    ]);
    expect(faultsOf(withSend({ stream: '', broker: null }))).toEqual([
      'PROPERTY_MISSING send broker',
      'PROPERTY_MISSING send stream',
    ]);
    expect(faultsOf(withGateway({ gateway: '' }))).toEqual(['PROPERTY_MISSING gateway gateway']);
    expect(faultsOf(withBroker({ url: '' }))).toEqual(['PROPERTY_MISSING broker url']);
    expect(faultsOf(withPort({ path: '' }))).toEqual(['PROPERTY_MISSING port path']);
  });
});

describe('values as forms store them', () => {
  it('may be numbers written as texts, with a point or a comma', () => {
    const plan = planOf(withRule('noise', { minCoverage: '0,5', levels: '1, 10,90' }));
    expect(plan.rules[0]).toMatchObject({ minCoverage: 0.5, levels: [1, 10, 90] });
    expect(planOf(withPort({ baudRate: '19200', dataBits: '7', stopBits: '1.5' })).ports[0]).toMatchObject({
      baudRate: 19_200,
      dataBits: 7,
      stopBits: 1.5,
    });
    expect(planOf(withBroker({ protocol: '4', acceptSilentLoss: 'true' })).brokers[0]?.protocol).toBe(4);
  });

  it('may be lists, JSON text or text with commas', () => {
    for (const periods of [['1h', '1m'], '["1h","1m"]', '1h,1m', '1h; 1m, 60m'])
      expect(planOf(withRule('heat', { periods })).rules[0]?.periodsMs).toEqual([60_000, 3_600_000]);
    const channels = [{ key: 3, quantity: 'LAeq', unit: 'dBA', averaging: '1s', scale: '0.1', offset: -1 }];
    for (const given of [channels, JSON.stringify(channels)])
      expect(planOf(withSerial({ channels: given })).serialSources[0]?.channels).toEqual([
        { key: '3', quantity: 'LAeq', channel: '', unit: 'dBA', scale: 0.1, offset: -1, averagingMs: 1000 },
      ]);
    const select = { places: 'a, b', quantities: ['LAeq'] };
    for (const given of [select, JSON.stringify(select)])
      expect(planOf(withLora({ select: given })).loraSources[0]).toMatchObject({
        places: ['a', 'b'],
        tags: [],
        quantities: ['LAeq'],
      });
  });

  it('may write a delimiter, separator or command with backslashes', () => {
    for (const delimiter of ['\\r\\n', '\r\n'])
      expect(planOf(withPort({ delimiter })).ports[0]?.delimiter).toBe('\r\n');
    expect(planOf(withPort({ delimiter: '\\n' })).ports[0]?.delimiter).toBe('\n');
    const plan = planOf(withSerial({ separator: '\\t', poll: { command: '\\x02M?', every: '5s' } }));
    expect(plan.serialSources[0]).toMatchObject({ separator: '\t', poll: { command: '\u0002M?', everyMs: 5000 } });
    expect(planOf(withSerial({ separator: ' ' })).serialSources[0]?.separator).toBe(' ');
  });

  it('may leave the poll empty in any way', () => {
    for (const poll of [null, '', {}, { command: '', every: '5s' }])
      expect(planOf(withSerial({ poll })).serialSources[0]?.poll).toBeNull();
  });

  it('may say that silence is never a fault', () => {
    expect(planOf(withSerial({ silentAfter: '' })).serialSources[0]?.silentAfterMs).toBeNull();
  });
});

describe('a value out of range', () => {
  it.each<[string, Json[], string]>([
    ['an identifier', withGateway({ gateway: 'Ma Passerelle' }), 'PROPERTY_INVALID gateway gateway'],
    ['a stream id', withSend({ stream: 'x'.repeat(41) }), 'PROPERTY_INVALID send stream'],
    ['a time zone', withGateway({ timezone: 'Europe/Istres' }), 'PROPERTY_INVALID gateway timezone'],
    ['a duration', withGateway({ commitInterval: '2h' }), 'PROPERTY_INVALID gateway commitInterval'],
    ['a duration without unit', withSend({ maxAge: '10' }), 'PROPERTY_INVALID send maxAge'],
    ['a number', withSend({ maxRecords: 10_001 }), 'PROPERTY_INVALID send maxRecords'],
    ['a word for a number', withSend({ backlogRate: 'fast' }), 'PROPERTY_INVALID send backlogRate'],
    ['a choice', withPort({ parity: 'mark' }), 'PROPERTY_INVALID port parity'],
    ['a path', withPort({ path: 'COM3' }), 'PROPERTY_INVALID port path'],
    ['a serial server without port', withPort({ path: 'tcp://host' }), 'PROPERTY_INVALID port path'],
    ['a delimiter', withPort({ delimiter: ';' }), 'PROPERTY_INVALID port delimiter'],
    ['a separator', withSerial({ separator: '\n' }), 'PROPERTY_INVALID serial separator'],
    ['a broker URL', withBroker({ url: 'http://host' }), 'PROPERTY_INVALID broker url'],
    ['a topic prefix', withBroker({ topicPrefix: 'a/#' }), 'PROPERTY_INVALID broker topicPrefix'],
    ['a relative file', withBroker({ ca: 'ca.pem' }), 'PROPERTY_INVALID broker ca'],
    ['an address', withLora({}, { bind: 'host name' }), 'PROPERTY_INVALID concentrator bind'],
    ['an EUI', withLora({}, { gateways: 'xyz' }), 'PROPERTY_INVALID concentrator gateways[0]'],
    ['a NetID', withLora({}, { netId: '13' }), 'PROPERTY_INVALID concentrator netId'],
    ['a coverage', withRule('count', { minCoverage: 2 }), 'PROPERTY_INVALID count minCoverage'],
    ['a level', withRule('noise', { levels: [0] }), 'PROPERTY_INVALID noise levels[0]'],
    ['a list of no period', withRule('heat', { periods: [] }), 'PROPERTY_INVALID heat periods'],
    [
      'a scale of 0',
      withSerial({ channels: [{ key: 0, quantity: 'LAeq', scale: 0 }] }),
      'PROPERTY_INVALID serial channels[0].scale',
    ],
    ['a place with control characters', withSerial({ place: 'a\u0007b' }), 'PROPERTY_INVALID serial place'],
    ['a poll that is a text', withSerial({ poll: 'M?' }), 'PROPERTY_INVALID serial poll'],
    ['a selection that is a text', withLora({ select: 'all' }), 'PROPERTY_INVALID lora select'],
  ])('is a fault: %s', (_what, flow, fault) => {
    expect(faultsOf(flow)).toEqual([fault]);
  });

  it('is told in both languages, with the property and what it takes', () => {
    const [fault] = compile(withSend({ maxRecords: 0 })).faults;
    expect(fault?.message).toEqual({
      en: '"maxRecords" takes at least 1.',
      fr: '« maxRecords » prend au moins 1.',
    });
    const messages = compile(withPort({ parity: 'mark', baudRate: 'x', delimiter: 'y' })).faults;
    for (const { field, message } of messages)
      for (const text of [message.en, message.fr]) {
        expect(text).toContain(field);
        expect(text).not.toMatch(/Invalid|expected|received/);
      }
  });
});

describe('what is not in this version', () => {
  it.each<[string, Json[], string]>([
    ['the period day', withRule('noise', { periods: ['1h', 'day'] }), 'noise periods[1]'],
    ['a period of 7 minutes', withRule('heat', { periods: ['7m'] }), 'heat periods[0]'],
    ['events', withRule('noise', { events: { threshold: 80 } }), 'noise events'],
    ['other day parts', withRule('noise', { dayParts: '7-19-23-7' }), 'noise dayParts'],
    ['a heat reference', withRule('heat', { reference: 'parc' }), 'heat reference'],
    ['heat indices', withRule('heat', { indices: ['utci'] }), 'heat indices'],
    ['heat thresholds', withRule('heat', { thresholds: { hot: 35 } }), 'heat thresholds'],
    ['night hours', withRule('heat', { nightHours: '22-6' }), 'heat nightHours'],
    ['cumulative counters', withRule('count', { counter: 'cumulative' }), 'count counter'],
    ['another batch format', withSend({ format: 'cbor' }), 'send format'],
    ['another start of a stream', withSend({ since: 'beginning' }), 'send since'],
    ['another kind of concentrator', withLora({}, { kind: 'chirpstack' }), 'concentrator kind'],
    ['another region', withLora({}, { region: 'US915' }), 'concentrator region'],
    ['line codecs', withSerial({ format: 'codec' }), 'serial format'],
    ['another framing', withPort({ framing: 'length' }), 'port framing'],
    ['the node cigale-check', flowOf({ id: 'x', type: 'cigale-check' }), 'x type'],
    ['the node cigale-share', flowOf({ id: 'x', type: 'cigale-share' }), 'x type'],
    ['the node cigale-watch', flowOf({ id: 'x', type: 'cigale-watch' }), 'x type'],
  ])('is a fault that says so: %s', (_what, flow, at) => {
    const { faults } = compile(flow);
    expect(faults.map(({ code, node, field }) => `${code} ${node} ${field}`)).toEqual([`NOT_IN_THIS_VERSION ${at}`]);
    expect(faults[0]?.message.en).toContain('not in this version');
    expect(faults[0]?.message.fr).toContain("n'existe");
  });

  it('is no fault while it is empty or as it was by default', () => {
    const noise = { events: { threshold: '', minGap: '' }, dayParts: '6-18-22-6' };
    expect(codes(withRule('noise', noise))).toEqual([]);
    expect(codes(withRule('heat', { reference: '', indices: [], thresholds: null, nightHours: '' }))).toEqual([]);
    expect(codes(withRule('count', { counter: 'interval', bits: 16 }))).toEqual([]);
  });
});

describe('a serial source', () => {
  it('without channels is a fault', () => {
    expect(faultsOf(withSerial({ channels: undefined }))).toEqual(['PROPERTY_MISSING serial channels']);
    expect(faultsOf(withSerial({ channels: [] }))).toEqual(['PROPERTY_INVALID serial channels']);
  });

  it('with a quantity outside the catalogue is a fault', () => {
    expect(faultsOf(withSerial({ channels: [{ key: 0, quantity: 'noise' }] }))).toEqual([
      'QUANTITY_UNKNOWN serial channels[0].quantity',
    ]);
  });

  it('with a unit that does not convert is a fault', () => {
    const channel = (quantity: string, unit: string): Json => ({ key: 0, quantity, unit });
    for (const [quantity, unit] of [
      ['airTemperature', 'hPa'],
      ['LAeq', 'dB(C)'],
      ['pressure', 'furlong'],
    ] as const)
      expect(faultsOf(withSerial({ channels: [channel(quantity, unit)] }))).toEqual([
        'UNIT_NOT_CONVERTIBLE serial channels[0].unit',
      ]);
    expect(faultsOf(withSerial({ channels: [channel('airTemperature', '°F')] }))).toEqual([]);
  });

  it('with two channels of one series is a fault', () => {
    const channels = [0, 1].map((key) => ({ key, quantity: 'airTemperature' }));
    expect(faultsOf(withSerial({ channels }))).toEqual(['CHANNEL_DUPLICATE serial channels[1].channel']);
    const apart = channels.map((channel, index) => ({ ...channel, channel: `${index}` }));
    expect(faultsOf(withSerial({ channels: apart }))).toEqual([]);
  });

  it('with a pattern that does not compile, or lacks the group of a channel, is a fault', () => {
    const pattern = (text: string, key = '1'): string[] =>
      faultsOf(withSerial({ format: 'regex', pattern: text, channels: [{ key, quantity: 'LAeq' }] }));
    expect(pattern('')).toEqual(['PATTERN_INVALID serial pattern']);
    expect(pattern('(')).toEqual(['PATTERN_INVALID serial pattern']);
    expect(pattern('L=\\d+')).toEqual(['PATTERN_INVALID serial pattern']);
    expect(pattern('L=(\\d+)', '2')).toEqual(['PATTERN_INVALID serial channels[0].key']);
    expect(pattern('L=(?<level>\\d+)', 'level')).toEqual([]);
    expect(pattern('L=(?<level>\\d+)$', '1')).toEqual([]);
  });
});

describe('a broker', () => {
  it('of MQTT 3.1.1 needs acceptSilentLoss', () => {
    expect(faultsOf(withBroker({ protocol: 4 }))).toEqual(['SILENT_LOSS_NOT_ACCEPTED broker acceptSilentLoss']);
  });

  it('with half of a client certificate is a fault', () => {
    expect(faultsOf(withBroker({ cert: '/etc/c.pem' }))).toEqual(['PROPERTY_MISSING broker key']);
  });

  it('holds no credentials in the flow: not in its URL, its properties or beside them', () => {
    expect(faultsOf(withBroker({ url: 'mqtt://bob:secret@host' }))).toEqual(['CREDENTIALS_IN_FLOW broker url']);
    expect(faultsOf(withBroker({ password: 'secret' }))).toEqual(['CREDENTIALS_IN_FLOW broker password']);
    expect(faultsOf(withBroker({ credentials: { username: 'bob', has_password: true } }))).toEqual([
      'CREDENTIALS_IN_FLOW broker username',
    ]);
    const { faults } = compile(withBroker({ url: 'mqtt://bob:secret@host', password: 'secret' }));
    expect(JSON.stringify(faults)).not.toContain('secret"');
    expect(JSON.stringify(faults)).not.toContain('bob');
  });
});

describe('properties that a node does not have', () => {
  it('are told, not refused', () => {
    expect(noticesOf(withSerial({ colour: 'red' }))).toEqual(['UNKNOWN_PROPERTY serial colour']);
  });

  it('are not those that the editor stores on every node', () => {
    const stored = {
      x: 1,
      y: 2,
      z: '',
      g: 'g',
      l: false,
      info: 'notes',
      icon: 'font-awesome/fa-bell',
      outputLabels: [],
    };
    expect(noticesOf(withSerial(stored))).toEqual([]);
  });
});

describe('the version of a node', () => {
  it('that is newer than this gateway is a fault', () => {
    expect(faultsOf(withSerial({ version: 2 }))).toEqual(['VERSION_TOO_NEW serial version']);
    expect(faultsOf(withSerial({ version: 'x' }))).toEqual(['PROPERTY_INVALID serial version']);
    expect(faultsOf(withSerial({ version: '1' }))).toEqual([]);
  });

  it('that is older is migrated step by step', () => {
    const type = defineNode({
      type: 'cigale-example',
      role: 'source',
      accepts: [],
      outputs: [],
      schema: z.object({ site: requiredText() }),
      migrations: [
        ({ spot, ...rest }) => ({ ...rest, location: spot }),
        ({ location, ...rest }) => ({ ...rest, site: location }),
      ],
      settings: (_node, given) => given,
    });
    const read = (raw: Json): unknown => {
      const findings = new Findings();
      const nodes = readNodes([{ id: 'a', type: 'cigale-example', ...raw }], findings);
      const flow = expandFlow(nodes, processScope({ CITY: 'istres' }), findings);
      const node = flow.nodes.get('a');
      return node === undefined ? null : [type.read(node, { flow, findings }), findings.faults, findings.notices];
    };
    expect(type.version).toBe(3);
    expect(read({ spot: '${CITY}' })).toEqual([{ site: 'istres' }, [], []]);
    expect(read({ version: 2, location: 'x' })).toEqual([{ site: 'x' }, [], []]);
    expect(read({ version: 3, site: 'y' })).toEqual([{ site: 'y' }, [], []]);
  });
});
