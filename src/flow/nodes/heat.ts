import { z } from 'zod';
import type { HeatRuleSettings } from '../../model/plan.ts';
import { decimal, laterProperty } from '../fields.ts';
import { defineNode } from '../node-type.ts';
import { periods } from './periods.ts';

const schema = z.object({
  periods: periods(),
  minCoverage: decimal({ min: 0, max: 1, default: 0.75, unit: 'share of the window' }),
  reference: laterProperty(),
  indices: laterProperty(),
  thresholds: laterProperty(),
  nightHours: laterProperty(),
});

/** Temperatures and what goes with them: means and extremes of each window. */
export const heatNode = defineNode({
  type: 'cigale-heat',
  role: 'rule',
  accepts: ['samples'],
  outputs: ['aggregates'],
  schema,
  settings: (node, given): HeatRuleSettings => ({
    nodeId: node.id,
    name: node.name,
    domain: 'heat',
    periodsMs: given.periods,
    minCoverage: given.minCoverage,
  }),
});
