import type { Plan } from '../model/plan.ts';

/** The plan of a gateway that has no flow yet: it opens nothing and sends nothing, but stores, answers and shows what is wrong. */
export const EMPTY_PLAN: Plan = Object.freeze({
  gateway: Object.freeze({
    nodeId: '',
    gateway: 'unnamed',
    timezone: 'Europe/Paris',
    commitIntervalMs: 1000,
    diskLimitMb: null,
    keepAfterAckMs: 7 * 86_400_000,
  }),
  brokers: [],
  ports: [],
  concentrators: [],
  serialSources: [],
  loraSources: [],
  rules: [],
  streams: [],
  routes: {},
  injections: {},
  taps: [],
});
