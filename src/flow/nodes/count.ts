import { z } from 'zod';
import type { CountRuleSettings } from '../../model/plan.ts';
import { choice, decimal, documented } from '../fields.ts';
import { defineNode } from '../node-type.ts';
import { periods } from './periods.ts';

const schema = z.object({
  periods: periods(),
  counter: choice(['interval'], 'interval', ['cumulative']),
  bits: documented(z.unknown(), { kind: 'not in this version', unit: 'bits', default: 'empty' }),
  minCoverage: decimal({ min: 0, max: 1, default: 0.75, unit: 'share of the window' }),
});

/** Passages: sums of each window. */
export const countNode = defineNode({
  type: 'cigale-count',
  role: 'rule',
  accepts: ['samples'],
  outputs: ['aggregates'],
  schema,
  settings: (node, given): CountRuleSettings => ({
    nodeId: node.id,
    name: node.name,
    domain: 'count',
    periodsMs: given.periods,
    minCoverage: given.minCoverage,
  }),
});
