import type { Aggregate, Destination } from '../model/record.ts';
import type { LogStore, WindowRow } from '../store/store.ts';
import { contributionOf } from './contribution.ts';
import type { OpenWindow } from './open-window.ts';
import { countOfFingerprint, SeriesWindow } from './series-window.ts';
import { fitsWindow, observedRange, windowStart } from './windows.ts';

/** A window to write: an argument of `writeWindows`. */
export interface Draft {
  /** `rule:NODE` of its rule. */
  readonly rule: Destination;
  readonly aggregate: Aggregate;
  readonly fingerprint: string;
  readonly to: readonly Destination[];
}

/** What becomes of a window that closes: it is written, stands already, or cannot be computed again. */
export type Closing = Draft | 'unchanged' | 'samples-gone';

/** Whether an entry that went to these destinations belongs to a rule. */
type Belongs = (rule: Destination, to: readonly Destination[]) => boolean;

/**
 * Decides what to write for a window that closes. One that was never written is whole in memory, because the position in the log
 * never passes an unwritten window. One that was written and is open again holds a part at least (a late sample, a replay that starts
 * in its middle): if it does not equal what was written, it is computed again from the log, and written if its contents differ.
 * `written`: its last revision on disk.
 */
export async function closingOf(
  open: OpenWindow,
  written: WindowRow | undefined,
  store: LogStore,
  belongs: Belongs,
): Promise<Closing> {
  const fingerprint = open.window.fingerprint();
  if (written === undefined) return draft(open, open.window, fingerprint, 0);
  if (written.fingerprint === fingerprint) return 'unchanged';
  const whole = await fromLog(open, store, belongs);
  const wholeFingerprint = whole.fingerprint();
  if (written.fingerprint === wholeFingerprint) return 'unchanged';
  // Retention took raw samples away: what was written knows more than the log does now.
  if (whole.count < countOfFingerprint(written.fingerprint)) return 'samples-gone';
  return draft(open, whole, wholeFingerprint, written.revision + 1);
}

const draft = (open: OpenWindow, window: SeriesWindow, fingerprint: string, revision: number): Draft => ({
  rule: open.rule,
  aggregate: window.aggregate(revision),
  fingerprint,
  to: open.to,
});

async function fromLog({ window, rule }: OpenWindow, store: LogStore, belongs: Belongs): Promise<SeriesWindow> {
  const { series, periodMs, start } = window;
  const { place, channel, quantity } = series;
  const whole = new SeriesWindow(window.rule, series, periodMs, start);
  const range = { ...observedRange(start, periodMs), kind: 'sample', place, channel, quantity: quantity.id } as const;
  for await (const page of store.readRange(range)) {
    for (const { record, to } of page) {
      if (record.kind !== 'sample' || windowStart(record, periodMs) !== start || !belongs(rule, to)) continue;
      if (fitsWindow(record, periodMs)) whole.add(contributionOf(record, quantity));
    }
  }
  return whole;
}
