import type { RuleSettings } from '../model/plan.ts';
import type { Contribution } from './contribution.ts';
import type { Sample } from '../model/record.ts';
import type { OpenWindow } from './open-window.ts';
import type { Series } from './series-window.ts';
import { fitsWindow, windowStart } from './windows.ts';

/** Opens a window that does not exist yet. */
export type Opener = (rule: RuleSettings, series: Series, periodMs: number, start: number) => OpenWindow;

interface Slot {
  readonly periodMs: number;
  /** By start. */
  readonly windows: Map<number, OpenWindow>;
  /** The window that the last sample went to: nearly always the one of the next. */
  last: OpenWindow | undefined;
  /** The rule has this period no more: open windows finish, no new one opens. */
  retiring: boolean;
}

/** The open windows of one series under one rule, a slot for each period. */
export class RuleSeries {
  readonly series: Series;
  #rule: RuleSettings;
  #slots: Slot[];

  constructor(series: Series, rule: RuleSettings) {
    this.series = series;
    this.#rule = rule;
    this.#slots = rule.periodsMs.map(newSlot);
  }

  /** Takes other settings for windows that open from now on. */
  follow(rule: RuleSettings): void {
    if (rule === this.#rule) return;
    this.#rule = rule;
    const kept = this.#slots.filter((slot) => rule.periodsMs.includes(slot.periodMs) || slot.windows.size > 0);
    for (const slot of kept) slot.retiring = !rule.periodsMs.includes(slot.periodMs);
    const known = new Set(kept.map((slot) => slot.periodMs));
    this.#slots = [...kept, ...rule.periodsMs.filter((periodMs) => !known.has(periodMs)).map(newSlot)];
  }

  /** Adds a sample to its window of each period; in how many periods it was too long an average for. */
  add(sample: Sample, contribution: Contribution, open: Opener): number {
    let unfit = 0;
    for (const slot of this.#slots) {
      if (fitsWindow(sample, slot.periodMs)) this.#windowOf(slot, sample, open)?.window.add(contribution);
      else unfit += 1;
    }
    return unfit;
  }

  remove({ window }: OpenWindow): void {
    for (const slot of this.#slots) {
      if (slot.periodMs !== window.periodMs) continue;
      slot.windows.delete(window.start);
      if (slot.last?.window === window) slot.last = undefined;
    }
  }

  get isIdle(): boolean {
    return this.#slots.every((slot) => slot.windows.size === 0);
  }

  #windowOf(slot: Slot, sample: Sample, open: Opener): OpenWindow | undefined {
    const start = windowStart(sample, slot.periodMs);
    if (slot.last?.window.start === start) return slot.last;
    let found = slot.windows.get(start);
    if (found === undefined && !slot.retiring) {
      found = open(this.#rule, this.series, slot.periodMs, start);
      slot.windows.set(start, found);
    }
    slot.last = found;
    return found;
  }
}

const newSlot = (periodMs: number): Slot => ({ periodMs, windows: new Map(), last: undefined, retiring: false });
