import { hash } from 'node:crypto';
import type { RuleSettings } from '../model/plan.ts';
import type { Quantity } from '../model/quantity.ts';
import type { Aggregate, Flag } from '../model/record.ts';
import type { WindowKey } from '../store/store.ts';
import type { Accumulator } from './accumulator.ts';
import type { Contribution } from './contribution.ts';
import { SumAccumulator } from './count/sum-accumulator.ts';
import { Coverage } from './coverage.ts';
import { FlagSet } from './flag-set.ts';
import { MeanAccumulator } from './heat/mean-accumulator.ts';
import { LevelAccumulator } from './noise/level-accumulator.ts';
import { PeakAccumulator } from './noise/peak-accumulator.ts';

export interface Series {
  readonly place: string;
  readonly channel: string;
  readonly quantity: Quantity;
}

/** One window of one series under one rule: what the samples added so far come to. Pure. */
export class SeriesWindow {
  readonly rule: RuleSettings;
  readonly series: Series;
  readonly periodMs: number;
  readonly start: number;
  readonly #accumulator: Accumulator;
  readonly #coverage = new Coverage();
  readonly #flags = new FlagSet();

  constructor(rule: RuleSettings, series: Series, periodMs: number, start: number) {
    this.rule = rule;
    this.series = series;
    this.periodMs = periodMs;
    this.start = start;
    this.#accumulator = accumulatorFor(rule, series.quantity);
  }

  get end(): number {
    return this.start + this.periodMs;
  }

  get count(): number {
    return this.#accumulator.count;
  }

  get key(): WindowKey {
    const { place, channel, quantity } = this.series;
    return { domain: this.rule.domain, place, channel, quantity: quantity.id, periodMs: this.periodMs, part: '' };
  }

  add({ entering, flags }: Contribution): void {
    if (flags.length > 0) this.#flags.add(flags);
    if (entering === null) return;
    this.#accumulator.add(entering);
    this.#coverage.add(entering.durationMs);
  }

  /**
   * `COUNT.HASH` of what was measured. Neither the revision nor what the rule publishes of it (which LN, from which
   * coverage on) is part of it, so that a changed rule does not revise windows that are closed.
   */
  fingerprint(): string {
    const state = `${this.#accumulator.state()}|${this.#coverage.state()}|${this.#flags.state()}`;
    return `${this.count}.${hash('sha256', state, 'base64url').slice(0, 16)}`;
  }

  aggregate(revision: number): Aggregate {
    const coverage = this.#coverage.share(this.periodMs);
    const valid = coverage === null || coverage >= this.rule.minCoverage;
    const flags: Flag[] = this.#flags.list();
    if (coverage === null) flags.push('coverage-unknown');
    if (!valid) flags.push('low-coverage');
    if (revision > 0) flags.push('late');
    const { start, end, count } = this;
    return {
      kind: 'aggregate',
      ...this.key,
      start,
      end,
      revision,
      count,
      coverage,
      valid,
      flags,
      ...this.#accumulator.outcome(),
    };
  }
}

/** Number of values behind a fingerprint. */
export const countOfFingerprint = (fingerprint: string): number => Number.parseInt(fingerprint, 10);

function accumulatorFor(rule: RuleSettings, quantity: Quantity): Accumulator {
  if (rule.domain === 'heat') return new MeanAccumulator();
  if (rule.domain === 'count') return new SumAccumulator();
  if (quantity.combination === 'max') return new PeakAccumulator(quantity.id);
  return new LevelAccumulator(quantity.id, rule.levels);
}
