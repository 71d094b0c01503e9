import { describe, expect, it } from 'vitest';
import {
  broker,
  compile,
  concentrator,
  faultsOf,
  flowOf,
  foreign,
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

describe('the gateway node', () => {
  it('is there exactly once', () => {
    expect(faultsOf([])).toEqual(['GATEWAY_MISSING']);
    expect(faultsOf([gateway(), gateway({ id: 'second' })])).toEqual(['GATEWAY_DUPLICATE second']);
    expect(faultsOf([gateway(), gateway({ id: 'second', d: true })])).toEqual([]);
  });
});

describe('a reference to a config node', () => {
  it('leads to a node that exists, is enabled and has the right type', () => {
    expect(faultsOf(flowOf(serial({ port: 'gone' }), send()))).toEqual(['REFERENCE_MISSING serial port']);
    expect(faultsOf(flowOf(serial({ port: 'broker' }), send()))).toEqual(['REFERENCE_WRONG_TYPE serial port']);
    const disabled = [gateway(), broker({ d: true }), port(), serial(), send()];
    expect(faultsOf(disabled)).toEqual(['REFERENCE_MISSING send broker']);
    expect(compile(disabled).faults[0]?.message.en).toContain('disabled');
  });
});

describe('ids, paths and addresses', () => {
  it('of streams are used once', () => {
    expect(faultsOf(flowOf(serial(), send(), send({ id: 'send2' })))).toEqual(['STREAM_DUPLICATE send2 stream']);
  });

  it('of ports are used once', () => {
    expect(faultsOf(flowOf(port({ id: 'port2' }), serial(), send()))).toEqual(['PORT_DUPLICATE port2 path']);
  });

  it('of concentrators do not overlap', () => {
    const two = (one: Json, other: Json): string[] =>
      faultsOf([gateway(), concentrator({ id: 'a', ...one }), concentrator({ id: 'b', ...other })]);
    expect(two({}, {})).toEqual(['BIND_DUPLICATE b port']);
    expect(two({ bind: '0.0.0.0' }, {})).toEqual(['BIND_DUPLICATE b port']);
    expect(two({}, { port: 1701 })).toEqual([]);
    expect(two({ port: 0 }, { port: 0 })).toEqual([]);
  });
});

describe('an unknown type', () => {
  it('of cigale is a fault, another is foreign', () => {
    expect(faultsOf(flowOf({ id: 'x', type: 'cigale-typo' }))).toEqual(['UNKNOWN_NODE_TYPE x type']);
    expect(faultsOf(flowOf({ id: 'x', type: 'http request' }))).toEqual([]);
  });
});

describe('wires between Cigale nodes', () => {
  it('do not lead from rule to rule', () => {
    const flow = flowOf(serial({ wires: [['noise']] }), rule('noise', { wires: [['heat']] }), rule('heat'), send());
    expect(faultsOf(flow)).toEqual(['RULE_AFTER_RULE noise wires']);
  });

  it('do not carry rejected frames', () => {
    expect(faultsOf(flowOf(serial({ wires: [['send'], ['send']] }), send()))).toEqual([
      'REJECTED_TO_CIGALE serial wires',
    ]);
    const seen = flowOf(serial({ wires: [['send'], ['debug']] }), foreign('debug'), send());
    expect(planOf(seen).taps).toEqual(['serial:1']);
  });

  it('do not carry events in this version', () => {
    const flow = flowOf(serial({ wires: [['noise']] }), rule('noise', { wires: [['send'], ['send']] }), send());
    expect(faultsOf(flow)).toEqual(['NOT_IN_THIS_VERSION noise wires']);
    const seen = flowOf(
      serial({ wires: [['noise']] }),
      rule('noise', { wires: [['send'], ['debug']] }),
      foreign('debug'),
      send(),
    );
    expect(noticesOf(seen)).toEqual(['EVENTS_EMPTY noise wires']);
  });

  it('do not lead to a node without input', () => {
    expect(faultsOf(flowOf(serial({ wires: [['broker', 'send']] }), send()))).toEqual(['NO_INPUT serial wires']);
  });
});

describe('two rules', () => {
  const first = rule('noise');
  const second = (more: Json = {}): Json => rule('noise', { id: 'noise2', name: 'second', ...more });
  const both = { wires: [['noise', 'noise2']] };

  it('of one domain on one source would produce the same aggregates', () => {
    const flow = flowOf(serial(both), first, second(), send());
    expect(faultsOf(flow)).toEqual(['AGGREGATE_DUPLICATE noise2 periods']);
    const message = compile(flow).faults[0]?.message.fr;
    expect(message).toContain('noise (cigale-noise)');
    expect(message).toContain('second (cigale-noise)');
  });

  it('with no period in common are right', () => {
    const flow = flowOf(serial(both), rule('noise', { periods: '1m' }), second({ periods: '1h' }), send());
    expect(faultsOf(flow)).toEqual([]);
  });

  it('of different domains are right', () => {
    const channels = [
      { key: 0, quantity: 'LAeq' },
      { key: 1, quantity: 'airTemperature' },
    ];
    expect(faultsOf(flowOf(serial({ channels, wires: [['noise', 'heat']] }), first, rule('heat'), send()))).toEqual([]);
  });

  it('on two serial sources clash only when these give the same series', () => {
    const sources = (place: string): Json[] => [
      serial({ wires: [['noise']] }),
      serial({ id: 'serial2', place, wires: [['noise2']] }),
    ];
    expect(faultsOf(flowOf(...sources('mairie'), first, second(), send()))).toEqual([
      'AGGREGATE_DUPLICATE noise2 periods',
    ]);
    expect(faultsOf(flowOf(...sources('stade'), first, second(), send()))).toEqual([]);
  });

  it('on two LoRa selections clash unless these have nothing in common', () => {
    const flow = (one: Json, other: Json): Json[] => [
      ...flowOf(first, second(), send()),
      concentrator(),
      lora({ select: one, wires: [['noise']] }),
      lora({ id: 'lora2', select: other, wires: [['noise2']] }),
    ];
    expect(faultsOf(flow({}, {}))).toEqual(['AGGREGATE_DUPLICATE noise2 periods']);
    expect(faultsOf(flow({ places: ['a', 'b'] }, { places: ['b'] }))).toEqual(['AGGREGATE_DUPLICATE noise2 periods']);
    expect(faultsOf(flow({ places: ['a'] }, {}))).toEqual(['AGGREGATE_DUPLICATE noise2 periods']);
    expect(faultsOf(flow({}, { places: ['a'] }))).toEqual(['AGGREGATE_DUPLICATE noise2 periods']);
    expect(faultsOf(flow({ places: ['a'] }, { places: ['b'] }))).toEqual([]);
    expect(faultsOf(flow({ quantities: ['LAeq'] }, { quantities: ['LAFmax'] }))).toEqual([]);
    const tags = flow({ tags: ['nord'] }, { tags: ['sud'] });
    expect(faultsOf(tags)).toEqual([]);
    expect(noticesOf(tags)).toContain('AGGREGATE_MAY_CLASH noise2 periods');
  });

  it('on two concentrators may clash: what each hears is not known beforehand', () => {
    const flow = [
      ...flowOf(first, second(), send()),
      concentrator(),
      concentrator({ id: 'other', port: 1701 }),
      lora({ wires: [['noise']] }),
      lora({ id: 'lora2', concentrator: 'other', wires: [['noise2']] }),
    ];
    expect(faultsOf(flow)).toEqual([]);
    expect(noticesOf(flow)).toContain('AGGREGATE_MAY_CLASH noise2 periods');
  });

  it('on a serial source and a LoRa selection that names its place may clash', () => {
    const flow = (places: string[]): Json[] => [
      ...flowOf(serial({ wires: [['noise']] }), first, second(), send()),
      concentrator(),
      lora({ select: { places }, wires: [['noise2']] }),
    ];
    expect(noticesOf(flow(['mairie']))).toEqual(['AGGREGATE_MAY_CLASH noise2 periods']);
    expect(noticesOf(flow(['stade']))).toEqual([]);
  });
});

describe('what has no effect', () => {
  it('is told: a send that nothing is wired into', () => {
    expect(noticesOf(flowOf(serial(), send(), send({ id: 'idle', stream: 'idle' })))).toEqual([
      'STREAM_UNFED idle wires',
    ]);
  });

  it('is told: a rule that nothing is wired into', () => {
    expect(noticesOf(flowOf(serial(), send(), rule('heat')))).toContain('RULE_UNFED heat wires');
  });

  it('is told: a source wired to nothing', () => {
    const other = port({ id: 'port2', path: '/dev/ttyUSB1' });
    expect(
      noticesOf(flowOf(other, serial(), send(), serial({ id: 'idle', port: 'port2', place: 'b', wires: [] }))),
    ).toEqual(['SOURCE_UNUSED idle wires']);
  });

  it('is told: a config node that no node uses', () => {
    expect(noticesOf([gateway(), broker()])).toEqual(['CONFIG_UNUSED broker']);
  });

  it('is told: a source without any quantity of the rule', () => {
    expect(noticesOf(flowOf(serial({ wires: [['heat']] }), rule('heat'), send()))).toEqual([
      'NO_QUANTITY_FOR_RULE heat wires',
    ]);
  });

  it('is told: certificate files without TLS', () => {
    const flow = [gateway(), broker({ ca: '/etc/ca.pem' }), port(), serial(), send()];
    expect(noticesOf(flow)).toEqual(['TLS_FILES_UNUSED broker url']);
  });
});

describe('foreign nodes', () => {
  it('that data goes through and comes back from are told', () => {
    const flow = flowOf(serial({ wires: [['f1']] }), foreign('f1', [['f2'], []]), foreign('f2', [['send']]), send());
    expect(noticesOf(flow)).toEqual(['CROSSES_FOREIGN serial wires']);
    expect(planOf(flow)).toMatchObject({ taps: ['serial:0'], injections: { send: ['stream:ville'] } });
  });

  it('that only listen, or only speak, are not', () => {
    const flow = flowOf(serial({ wires: [['send', 'debug']] }), foreign('debug'), foreign('timer', [['send']]), send());
    expect(noticesOf(flow)).toEqual([]);
  });
});

describe('all faults of a flow', () => {
  it('are reported at once, with node, name, type, property and sentences', () => {
    const { plan, faults } = compile([
      broker({ url: '' }),
      serial({ place: '', port: 'gone' }),
      { id: 'x', type: 'cigale-typo' },
      send({ stream: 'A' }),
    ]);
    expect(plan).toBeNull();
    expect(faults.map((fault) => fault.code).sort()).toEqual([
      'GATEWAY_MISSING',
      'PROPERTY_INVALID',
      'PROPERTY_MISSING',
      'PROPERTY_MISSING',
      'REFERENCE_MISSING',
      'UNKNOWN_NODE_TYPE',
    ]);
    expect(faults).toContainEqual({
      code: 'PROPERTY_MISSING',
      node: 'serial',
      nodeName: 'sonometre',
      nodeType: 'cigale-serial',
      field: 'place',
      message: {
        en: '"place" is empty, but it is required: fill it in.',
        fr: '« place » est vide, mais obligatoire : renseignez-le.',
      },
    });
  });
});
