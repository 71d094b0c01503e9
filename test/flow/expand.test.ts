import { describe, expect, it } from 'vitest';
import { FIXTURE_ENV, FIXTURE_FLOW } from './fixture-flow.ts';
import {
  broker,
  faultsOf,
  flowOf,
  foreign,
  gateway,
  noticesOf,
  planOf,
  port,
  rule,
  send,
  serial,
  tab,
  type Json,
} from './flow-builder.ts';

const subflow = (id: string, more: Json = {}): Json => ({ id, type: 'subflow', name: id, in: [], out: [], ...more });
const instance = (id: string, of: string, more: Json = {}): Json => ({
  id,
  type: `subflow:${of}`,
  z: 'tab',
  x: 1,
  y: 1,
  ...more,
});

describe('a drawn flow', () => {
  const plan = planOf(FIXTURE_FLOW, FIXTURE_ENV);

  it('becomes routes that see through junctions, links and subflows', () => {
    expect(plan.routes).toEqual({
      'in-group:0': ['rule:rule1'],
      'in-tab:0': ['rule:rule1', 'stream:stream-send1'],
      'instance1-nested-inner-serial:0': ['stream:stream-send1'],
      'instance1-outer-rule:0': ['stream:stream-send1'],
      'instance2-nested-inner-serial:0': ['stream:stream-send1'],
      'instance2-outer-rule:0': ['stream:stream-send1'],
      'into-subflow:0': ['rule:instance1-nested-inner-rule', 'rule:instance1-outer-rule', 'stream:stream-send2'],
      'rule1:0': ['stream:stream-send1'],
    });
  });

  it('names the outputs that foreign nodes see, and where they may inject', () => {
    expect(plan.taps).toEqual([
      'by-name:0',
      'in-tab:1',
      'instance1-nested-inner-serial:0',
      'instance2-nested-inner-serial:0',
      'rule1:0',
    ]);
    expect(plan.injections).toEqual({ rule1: ['rule:rule1'], send1: ['stream:stream-send1'] });
  });

  it('leaves out what is disabled: tabs, nodes, subflow instances', () => {
    const ids = [...plan.serialSources, ...plan.rules, ...plan.streams].map((part) => part.nodeId);
    expect(ids).not.toContain('serial-off');
    expect(ids).not.toContain('off1');
    expect(ids.filter((id) => id.startsWith('instance3') || id.endsWith('inner-off'))).toEqual([]);
  });

  it('takes values from the innermost of group, tab, subflow and process', () => {
    const places = Object.fromEntries(
      plan.serialSources.map((source) => [source.nodeId, [source.place, source.device]]),
    );
    expect(places).toMatchObject({
      'in-tab': ['tab-street', 'istres'],
      'in-group': ['outer-street', '12'],
      'by-name': ['outer', 'Tab tab1'],
      'instance1-nested-inner-serial': ['place-first', 'nested one'],
      'instance2-nested-inner-serial': ['place-default', 'nested one'],
    });
    expect(plan.rules.find((entry) => entry.nodeId === 'instance2-outer-rule')?.minCoverage).toBe(0.25);
  });

  it('does not depend on the order of nodes in the file', () => {
    expect(planOf([...FIXTURE_FLOW].reverse(), FIXTURE_ENV)).toEqual(plan);
  });
});

describe('environment values', () => {
  const inTab = (env: Json[], more: Json): Json[] =>
    flowOf(tab('tab', { env }), serial({ z: 'tab', ...more }), send({ z: 'tab' }));

  it('are replaced inside longer texts and inside lists of objects', () => {
    const plan = planOf(
      inTab([{ name: 'N', value: '7', type: 'num' }], {
        place: 'rue-${N}-nord',
        channels: [{ key: '${N}', quantity: 'LAeq' }],
      }),
    );
    expect(plan.serialSources[0]).toMatchObject({ place: 'rue-7-nord', channels: [{ key: '7' }] });
  });

  it('keep their type where the text is nothing but the name', () => {
    const flow = [gateway(), broker({ allowNoSubscriber: '${YES}' }), port({ baudRate: '${BAUD}' })];
    const values = { id: 'globals', type: 'global-config', env: [{ name: 'YES', value: 'true', type: 'bool' }] };
    const plan = planOf([...flow, values, serial(), send()], { BAUD: '19200' });
    expect([plan.brokers[0]?.allowNoSubscriber, plan.ports[0]?.baudRate]).toEqual([true, 19200]);
  });

  it('that are not set are a fault that names them', () => {
    const flow = inTab([], { place: '${PLACE}', device: 'a-${DEVICE}' });
    expect(faultsOf(flow)).toEqual(['ENV_UNSET serial place', 'ENV_UNSET serial device']);
    expect(faultsOf(flow, { PLACE: 'x', DEVICE: 'y' })).toEqual([]);
  });

  it('of credential, JSONata or other kinds are a fault where a Cigale node uses them, and none where it does not', () => {
    for (const type of ['cred', 'jsonata', 'json', 'env', 'conf-type']) {
      const env = [{ name: 'PLACE', value: '1', type }];
      expect(faultsOf(inTab(env, { place: '${PLACE}' })), type).toEqual(['ENV_UNSUPPORTED serial place']);
      expect(faultsOf(inTab(env, {})), type).toEqual([]);
    }
  });

  it('that are numbers but hold none are a fault', () => {
    expect(faultsOf(inTab([{ name: 'N', value: 'x', type: 'num' }], { place: '${N}' }))).toEqual([
      'ENV_UNSUPPORTED serial place',
    ]);
  });
});

describe('subflows', () => {
  it('that contain themselves, directly or not, are a fault', () => {
    expect(faultsOf(flowOf(subflow('a'), instance('in-a', 'a', { z: 'a' }), instance('top', 'a')))).toEqual([
      'SUBFLOW_RECURSION top-in-a type',
    ]);
    const flow = flowOf(
      subflow('a'),
      subflow('b'),
      instance('to-b', 'b', { z: 'a' }),
      instance('to-a', 'a', { z: 'b' }),
      instance('top', 'a'),
    );
    expect(faultsOf(flow)).toEqual(['SUBFLOW_RECURSION top-to-b-to-a type']);
  });

  it('that are missing are a fault of their instance', () => {
    expect(faultsOf(flowOf(instance('top', 'gone')))).toEqual(['SUBFLOW_MISSING top type']);
  });

  it('nested beyond 32 levels are a fault', () => {
    const levels = Array.from({ length: 40 }, (_, level) => [
      subflow(`s${level}`),
      instance(`i${level}`, `s${level + 1}`, { z: `s${level}` }),
    ]).flat();
    const [fault] = faultsOf(flowOf(...levels, subflow('s40'), instance('top', 's0')));
    expect(fault).toMatch(/^SUBFLOW_TOO_DEEP /);
  });

  it('that multiply beyond the bound of nodes are a fault, not a full memory', () => {
    const levels = Array.from({ length: 20 }, (_, level) => [
      subflow(`s${level}`),
      instance(`a${level}`, `s${level + 1}`, { z: `s${level}` }),
      instance(`b${level}`, `s${level + 1}`, { z: `s${level}` }),
    ]).flat();
    expect(faultsOf(flowOf(...levels, subflow('s20'), instance('top', 's0')))).toEqual(['FLOW_TOO_LARGE']);
  });

  it('may not hold Cigale config nodes', () => {
    const flow = flowOf(subflow('a'), port({ id: 'inner', path: '/dev/x', z: 'a' }), instance('top', 'a'));
    expect(faultsOf(flow)).toEqual(['CONFIG_IN_SUBFLOW top-inner z']);
  });

  it('without an enabled instance have no part in the plan', () => {
    const flow = flowOf(subflow('a'), serial({ id: 'inner', z: 'a', place: '' }), instance('top', 'a', { d: true }));
    expect(faultsOf(flow)).toEqual([]);
  });
});

describe('links', () => {
  const out = (more: Json = {}): Json => ({ id: 'out', type: 'link out', mode: 'link', links: ['in'], ...more });
  const into = (more: Json = {}): Json => ({ id: 'in', type: 'link in', links: [], wires: [['send']], ...more });

  it('are followed whichever end holds them', () => {
    for (const ends of [
      [out(), into()],
      [out({ links: [] }), into({ links: ['out'] })],
    ])
      expect(planOf(flowOf(serial({ wires: [['out']] }), ...ends, send())).routes).toEqual({
        'serial:0': ['stream:ville'],
      });
  });

  it('that call and return cannot carry Cigale data', () => {
    const call = { id: 'call', type: 'link call', links: ['in'], wires: [['send']] };
    expect(faultsOf(flowOf(serial({ wires: [['call']] }), call, into(), send()))).toEqual(['LINK_CALL serial wires']);
    const back = out({ mode: 'return' });
    expect(faultsOf(flowOf(serial({ wires: [['out']] }), back, send()))).toEqual(['LINK_CALL serial wires']);
  });

  it('called by foreign nodes are places of injection', () => {
    const call = { id: 'call', type: 'link call', links: ['in'], wires: [[]] };
    expect(planOf(flowOf(foreign('f', [['call']]), call, into(), send())).injections).toEqual({
      send: ['stream:ville'],
    });
  });

  it('and junctions in a circle end', () => {
    const junction = (id: string, to: string): Json => ({ id, type: 'junction', wires: [[to]] });
    const flow = flowOf(serial({ wires: [['a']] }), junction('a', 'b'), junction('b', 'a'), send());
    expect(planOf(flow).routes).toEqual({});
  });
});

describe('wires', () => {
  it('to a disabled node end there', () => {
    const flow = flowOf(serial({ wires: [['noise']] }), rule('noise', { d: true }), send());
    expect(planOf(flow).routes).toEqual({});
    expect(noticesOf(flow)).not.toContain('WIRE_DANGLING serial wires');
  });

  it('to a node that does not exist are told', () => {
    expect(noticesOf(flowOf(serial({ wires: [['gone', 'send']] }), send()))).toEqual(['WIRE_DANGLING serial wires']);
  });

  it('that are not lists of ids are a fault', () => {
    expect(faultsOf(flowOf(serial({ wires: 'send' }), send()))).toEqual(['WIRES_INVALID serial wires']);
    expect(faultsOf(flowOf(serial({ wires: [[{}]] }), send()))).toEqual(['WIRES_INVALID serial wires']);
  });

  it('at an output that the node does not have are told', () => {
    expect(noticesOf(flowOf(serial({ wires: [['send'], [], ['send']] }), send()))).toEqual([
      'OUTPUT_UNKNOWN serial wires',
    ]);
  });
});
