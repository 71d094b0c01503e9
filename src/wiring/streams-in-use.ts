import type { Plan } from '../model/plan.ts';

/** The streams that a flow names. */
export interface StreamUse {
  has(stream: string): boolean;
}

const streamOf = (node: unknown): string | null => {
  if (typeof node !== 'object' || node === null || !('type' in node) || node.type !== 'cigale-send') return null;
  return 'stream' in node && typeof node.stream === 'string' ? node.stream : '';
};

/**
 * What the running plan sends, and what the newest flow names even where it does not compile here (a command does not have
 * the service's environment): a stream is an orphan only where that is certain, because dropping it loses what it holds.
 */
export function streamsInUse(plan: Plan | null, newestFlow: readonly unknown[]): StreamUse {
  const named = newestFlow.map(streamOf).filter((stream) => stream !== null);
  const isUncertain = plan === null && named.some((stream) => stream === '' || stream.includes('${'));
  const inUse = new Set([...(plan?.streams ?? []).map(({ stream }) => stream), ...named]);
  return { has: (stream) => isUncertain || inUse.has(stream) };
}
