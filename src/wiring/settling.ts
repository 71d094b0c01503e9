import { sleep, type Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { ClockStore } from '../store/clock-store.ts';
import type { LogStore } from '../store/store.ts';
import type { ClockState } from './clock-state.ts';

const RETRY_MS = 5000;

export interface SettlingParts {
  readonly store: ClockStore & Pick<LogStore, 'head'>;
  readonly clock: Clock;
  readonly log: Log;
  /** The state now, and what it becomes. */
  readonly state: () => ClockState;
  readonly setState: (state: ClockState) => void;
  /** Whether to go on after a failure, and with the next part. */
  readonly isRunning: () => boolean;
}

/**
 * Re-times what `state.settling` names, part by part; each part is a transaction that also saves how far it got, so that a kill
 * goes on where it stopped. Resolves when nothing is left, or when it is not to go on.
 */
export async function settleRecords(parts: SettlingParts): Promise<void> {
  while (parts.state().settling !== null && parts.isRunning()) {
    try {
      await settleNext(parts);
    } catch (error) {
      parts.log.warn({ error: messageOf(error), retryInMs: RETRY_MS }, 'records could not be re-timed yet');
      if (parts.isRunning()) await sleep(parts.clock, RETRY_MS);
    }
  }
}

async function settleNext({ store, state, setState }: SettlingParts): Promise<void> {
  const span = state().settling;
  if (span === null) return;
  if (span.toId === null) {
    // Behind it in the queue of commits nothing is left that was taken before the clock was set.
    await store.saveClockState(JSON.stringify(state()));
    setState({ ...state(), settling: { ...span, toId: store.head() } });
    return;
  }
  const { toId } = span;
  const after = (nextId: number): ClockState => ({
    ...state(),
    settling: nextId >= toId ? null : { ...span, fromId: nextId },
  });
  const nextId = await store.retime({ ...span, toId }, (id) => JSON.stringify(after(id)));
  setState(after(nextId));
}
