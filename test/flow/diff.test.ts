import { describe, expect, it } from 'vitest';
import { diffPlans, type PartDiff } from '../../src/flow/diff.ts';
import { EMPTY_PLAN } from '../../src/flow/empty-plan.ts';
import { broker, flowOf, foreign, gateway, planOf, port, rule, send, serial } from './flow-builder.ts';

const NOTHING: PartDiff = { added: [], removed: [], changed: [], unchanged: [] };
const flow = flowOf(serial({ wires: [['send', 'noise']] }), rule('noise'), send());

describe('the difference of two plans', () => {
  it('of equal flows is nothing', () => {
    const diff = diffPlans(planOf(flow), planOf([...flow].reverse()));
    expect(diff).toEqual({
      ports: { ...NOTHING, unchanged: ['port'] },
      concentrators: NOTHING,
      serialSources: { ...NOTHING, unchanged: ['serial'] },
      loraSources: NOTHING,
      rules: { ...NOTHING, unchanged: ['noise'] },
      brokers: { ...NOTHING, unchanged: ['broker'] },
      streams: { ...NOTHING, unchanged: ['ville'] },
      gatewayChanged: false,
      wiringChanged: false,
    });
  });

  it('to no plan or the empty plan is that everything is new', () => {
    for (const before of [null, EMPTY_PLAN]) {
      const diff = diffPlans(before, planOf(flow));
      expect([diff.ports.added, diff.rules.added, diff.streams.added]).toEqual([['port'], ['noise'], ['ville']]);
      expect([diff.gatewayChanged, diff.wiringChanged]).toEqual([true, true]);
    }
    expect(diffPlans(planOf(flow), EMPTY_PLAN).serialSources.removed).toEqual(['serial']);
  });

  it('names what changed and leaves the rest alone', () => {
    const after = [gateway(), broker(), port(), serial({ wires: [['send']], place: 'b' }), send({ maxAge: '1m' })];
    const diff = diffPlans(planOf(flow), planOf(after));
    expect(diff.ports.unchanged).toEqual(['port']);
    expect(diff.serialSources.changed).toEqual(['serial']);
    expect(diff.rules.removed).toEqual(['noise']);
    expect(diff.streams.changed).toEqual(['ville']);
    expect([diff.gatewayChanged, diff.wiringChanged]).toEqual([false, true]);
  });

  it('knows a stream by its id, though its node was drawn again', () => {
    const redrawn = flowOf(
      serial({ wires: [['again', 'noise']] }),
      rule('noise', { wires: [['again']] }),
      send({ id: 'again' }),
    );
    const diff = diffPlans(planOf(flow), planOf(redrawn));
    expect(diff.streams).toEqual({ ...NOTHING, changed: ['ville'] });
    expect(diff.wiringChanged).toBe(false);
  });

  it('of a new tap is only in the wiring', () => {
    const tapped = flowOf(serial({ wires: [['send', 'noise', 'debug']] }), foreign('debug'), rule('noise'), send());
    const diff = diffPlans(planOf(flow), planOf(tapped));
    expect(diff.serialSources.unchanged).toEqual(['serial']);
    expect(diff.wiringChanged).toBe(true);
  });
});
