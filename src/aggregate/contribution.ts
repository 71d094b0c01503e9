import { isPlausible, type Quantity } from '../model/quantity.ts';
import type { Flag, Sample } from '../model/record.ts';
import type { Entering } from './accumulator.ts';
import { durationOf } from './coverage.ts';

/** Why the value of a sample does not enter the arithmetic of its window; also the `reason` label of the counter. */
export type Exclusion = 'missing' | 'bad' | 'out-of-range';

/** What a sample brings to each of its windows: a value or the reason why none, and flags in either case. */
export interface Contribution {
  readonly entering: Entering | null;
  readonly exclusion: Exclusion | null;
  readonly flags: readonly Flag[];
}

const FLAG_OF: Readonly<Record<Exclusion, Flag>> = {
  missing: 'missing',
  bad: 'invalid',
  'out-of-range': 'out-of-range',
};

/** What a sample of that quantity brings; `quantity.domain` must not be null. */
export function contributionOf(sample: Sample, quantity: Quantity): Contribution {
  const { value, observedAt, periodMs, flags } = sample;
  const exclusion = exclusionOf(sample, quantity);
  if (exclusion !== null || value === null) {
    const why = exclusion ?? 'missing';
    return { entering: null, exclusion: why, flags: [...flags, FLAG_OF[why]] };
  }
  const durationMs = durationOf(sample, quantity.domain);
  return { entering: { value, observedAt, periodMs, durationMs }, exclusion: null, flags };
}

/**
 * Suspect values take part, and their flags stand on the aggregate. Not so a level or a count that cannot be: a level of
 * exactly 0 dB, below, or above the quantity's range is a fault of the line and not silence (10^(0/10) = 1 is a
 * valid-looking tiny energy), and a count cannot be negative.
 */
function exclusionOf({ value, quality }: Sample, quantity: Quantity): Exclusion | null {
  if (value === null || !Number.isFinite(value)) return 'missing';
  if (quality === 'bad') return 'bad';
  if (quantity.domain === 'heat' || (value !== 0 && isPlausible(quantity, value))) return null;
  return quantity.domain === 'count' && value === 0 ? null : 'out-of-range';
}
