import { z } from 'zod';
import type { NoiseRuleSettings } from '../../model/plan.ts';
import { decimal, documented, laterProperty, listOrAsIs, numberOrAsIs } from '../fields.ts';
import { defineNode } from '../node-type.ts';
import { periods } from './periods.ts';

const STANDARD_LEVELS = [10, 50, 90];

const levels = documented(
  z.preprocess(
    listOrAsIs,
    z
      .array(z.preprocess(numberOrAsIs, z.number().int().min(1).max(99)))
      .max(20)
      .default(STANDARD_LEVELS)
      .transform((given) => [...new Set(given)].sort((a, b) => a - b)),
  ),
  { kind: 'list of integers 1 to 99', unit: '% of the time', default: JSON.stringify(STANDARD_LEVELS) },
);

const schema = z.object({
  periods: periods(),
  levels,
  minCoverage: decimal({ min: 0, max: 1, default: 0.75, unit: 'share of the window' }),
  dayParts: laterProperty('6-18-22-6', '6–18–22–6'),
  events: laterProperty(),
});

/** Sound levels: energy means, extremes and percentiles of each window. */
export const noiseNode = defineNode({
  type: 'cigale-noise',
  role: 'rule',
  accepts: ['samples'],
  outputs: ['aggregates', 'events'],
  schema,
  settings: (node, given): NoiseRuleSettings => ({
    nodeId: node.id,
    name: node.name,
    domain: 'noise',
    periodsMs: given.periods,
    minCoverage: given.minCoverage,
    levels: given.levels,
  }),
});
