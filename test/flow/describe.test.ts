import { describe, expect, it } from 'vitest';
import { describeFault } from '../../src/flow/describe.ts';
import { EMPTY_PLAN } from '../../src/flow/empty-plan.ts';
import { compile, gateway, planOf, serial } from './flow-builder.ts';

describe('a fault as a line of text', () => {
  const lines = (flow: unknown, language: 'en' | 'fr'): string[] =>
    compile(flow).faults.map((fault) => describeFault(fault, language));
  const flow = [gateway(), serial({ port: 'gone' }), serial({ id: 's2', name: '', place: '' })];

  it('names the node, its type and id, and says what to do', () => {
    expect(lines(flow, 'en')).toContain(
      '"sonometre" (cigale-serial serial): "port" refers to the node gone, which does not exist: choose it again.',
    );
    expect(lines(flow, 'fr')).toContain(
      "« sonometre » (cigale-serial serial) : « port » désigne le nœud gone, qui n'existe pas : choisissez-le à nouveau.",
    );
  });

  it('does without the name of a node that has none', () => {
    expect(lines(flow, 'en')).toContain('(cigale-serial s2): "place" is empty, but it is required: fill it in.');
  });

  it('of the flow as a whole names no node', () => {
    expect(lines([], 'en')).toEqual([
      'The flow has no cigale-gateway: add one (config nodes) and give the gateway its id.',
    ]);
  });
});

describe('the empty plan', () => {
  it('has the defaults of a gateway node, and does nothing', () => {
    const { gateway: settings, ...rest } = planOf([gateway({ gateway: 'unnamed' })]);
    expect(EMPTY_PLAN).toEqual({ gateway: { ...settings, nodeId: '' }, ...rest });
  });
});
