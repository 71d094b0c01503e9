import { describe, expect, it } from 'vitest';
import { MAX_FLOW_BYTES, MAX_NODES, parseFlow } from '../../src/flow/read-flow.ts';
import { jsonFaultPosition } from '../../src/flow/json-position.ts';
import { faultsOf, flowOf, gateway } from './flow-builder.ts';

describe('the text of a flow', () => {
  it('that is JSON is read, with or without a byte order mark', () => {
    expect(parseFlow('[1]')).toEqual({ flow: [1], fault: null });
    expect(parseFlow('\uFEFF[1]').flow).toEqual([1]);
  });

  it.each([
    ['', 1, 1],
    ['[\n  {"a": 1,\n   "b": tru}\n]', 3, 9],
    ['[{"a": 1,}]', 1, 10],
    ['[1, 2', 1, 6],
    ['[1] x', 1, 5],
    ['{"a" 1}', 1, 6],
    ['["a\nb"]', 1, 2],
    ['[01]', 1, 3],
    ['[{}}', 1, 4],
  ])('that is not JSON is a fault with its place: %j', (text, line, column) => {
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
    expect(jsonFaultPosition(text)).toEqual({ line, column });
    const { fault } = parseFlow(text);
    expect(fault).toMatchObject({ code: 'FLOW_NOT_JSON', node: '' });
    expect(fault?.message.fr).toContain(`ligne ${line}, colonne ${column}`);
    expect(fault?.message.en).toContain(`line ${line}, column ${column}`);
  });

  it('beyond its bound is refused unread', () => {
    expect(parseFlow(' '.repeat(MAX_FLOW_BYTES + 1)).fault?.code).toBe('FLOW_TOO_LARGE');
  });
});

describe('the list of nodes', () => {
  it('must be a list', () => {
    for (const flow of [null, {}, 'x', 3, undefined])
      expect(faultsOf(flow)).toEqual(['FLOW_NOT_A_LIST', 'GATEWAY_MISSING']);
  });

  it('holds nodes with id and type only', () => {
    expect(faultsOf([gateway(), 1, { type: 'debug' }, { id: 'a' }])).toEqual([
      'NODE_WITHOUT_ID id',
      'NODE_WITHOUT_ID id',
      'NODE_WITHOUT_TYPE a type',
    ]);
  });

  it('holds each id once', () => {
    expect(faultsOf(flowOf({ id: 'port', type: 'debug' }))).toEqual(['NODE_ID_DUPLICATE port id']);
  });

  it('is bounded', () => {
    const nodes = Array.from({ length: MAX_NODES + 1 }, (_, index) => ({ id: `n${index}`, type: 'debug' }));
    expect(faultsOf(nodes)).toContain('FLOW_TOO_LARGE');
  });

  it('lists at most 1000 faults, and says how many more there are', () => {
    const nodes = Array.from({ length: 1500 }, (_, index) => ({ id: `n${index}`, type: 'cigale-nothing' }));
    const faults = faultsOf([gateway(), ...nodes]);
    expect(faults).toHaveLength(1001);
    expect(faults.at(-1)).toBe('TOO_MANY_FAULTS');
  });
});
