import type { Log } from '../runtime/log.ts';
import type { BatchReplacement } from '../store/store.ts';
import type { Replaceable } from './delivery-window.ts';

/** Says what became of a refused batch; undefined: nothing could be made of it. */
export function reportReplacement(
  log: Log,
  { delivery: { batch, obstacle } }: Replaceable,
  replacement: BatchReplacement | undefined,
): void {
  const reasonCode = obstacle?.kind === 'refused' ? obstacle.reasonCode : null;
  const facts = { seq: batch.seq, reasonCode };
  if (replacement === undefined) log.error(facts, 'a refused batch cannot be replaced; it is kept and sent again');
  else if (replacement.parked === null) {
    log.info({ ...facts, records: batch.recordCount, parts: replacement.parts.length }, 'a refused batch was split');
  } else {
    const { id, naturalKey } = replacement.parked;
    log.error({ ...facts, id, naturalKey }, 'a record that the broker refuses was set aside');
  }
}
