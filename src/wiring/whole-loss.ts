import type { Plan } from '../model/plan.ts';
import type { Destination } from '../model/record.ts';
import type { LifeStore, LogStore } from '../store/store.ts';
import type { Deps } from './deps.ts';

/**
 * Declares a store that was lost as a whole, with its streams, to every stream of the plan: nobody knows any more what each
 * of them had got, so the gap is as long as the store was old.
 */
export async function declareWholeLoss(
  store: LogStore & LifeStore,
  { streams }: Pick<Plan, 'streams'>,
  { clock, log }: Deps,
): Promise<void> {
  const lostSince = await store.lostSince();
  if (lostSince === undefined) return;
  const to = clock.nowMs();
  const times = { from: Math.min(lostSince, to), to };
  const record = { kind: 'gap', place: '', stream: '', ...times, cause: 'store-damaged', count: null } as const;
  await store.append([{ record, to: streams.map(({ stream }): Destination => `stream:${stream}`) }], 'now');
  await store.forgetLost();
  log.error({ gap: record }, 'the store was lost as a whole');
}
