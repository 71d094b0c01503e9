import type { CountRuleSettings, HeatRuleSettings, NoiseRuleSettings } from '../../src/model/plan.ts';
import { findQuantity } from '../../src/model/quantity.ts';
import type { Destination, NewEntry, Sample } from '../../src/model/record.ts';

export const MINUTE = 60_000;
export const HOUR = 3_600_000;
/** 2026-06-01T10:00:00Z */
export const TEN = Date.UTC(2026, 5, 1, 10);

/** A good one-second level, unless told otherwise. */
export function sample(over: Partial<Sample> = {}): Sample {
  const quantity = over.quantity ?? 'LAeq';
  return {
    kind: 'sample',
    place: 'place-a',
    channel: '',
    device: 'device-a',
    quantity,
    unit: findQuantity(quantity)?.unit ?? '',
    observedAt: TEN + 1000,
    receivedAt: over.observedAt ?? TEN + 1000,
    periodMs: 1000,
    intervalMs: 1000,
    value: 60,
    quality: 'good',
    flags: [],
    revision: 0,
    ...over,
  };
}

/** `values.length` consecutive one-second levels; the first covers the second that starts at `from`. */
export const seconds = (from: number, values: readonly number[], over: Partial<Sample> = {}): Sample[] =>
  values.map((value, index) => sample({ value, observedAt: from + 1000 * (index + 1), ...over }));

export const temperature = (observedAt: number, value: number | null, over: Partial<Sample> = {}): Sample =>
  sample({ quantity: 'airTemperature', periodMs: null, intervalMs: MINUTE, observedAt, value, ...over });

export const bicycles = (observedAt: number, value: number | null, over: Partial<Sample> = {}): Sample =>
  sample({ quantity: 'bicycleCount', periodMs: 15 * MINUTE, intervalMs: 15 * MINUTE, observedAt, value, ...over });

export const sentTo = (samples: readonly Sample[], ...to: Destination[]): NewEntry[] =>
  samples.map((record) => ({ record, to }));

export const noiseRule = (over: Partial<NoiseRuleSettings> = {}): NoiseRuleSettings => ({
  nodeId: 'n1',
  name: 'noise',
  domain: 'noise',
  periodsMs: [MINUTE],
  minCoverage: 0.75,
  levels: [10, 50, 90],
  ...over,
});

export const heatRule = (over: Partial<HeatRuleSettings> = {}): HeatRuleSettings => ({
  nodeId: 'h1',
  name: 'heat',
  domain: 'heat',
  periodsMs: [15 * MINUTE],
  minCoverage: 0.75,
  ...over,
});

export const countRule = (over: Partial<CountRuleSettings> = {}): CountRuleSettings => ({
  nodeId: 'c1',
  name: 'count',
  domain: 'count',
  periodsMs: [HOUR],
  minCoverage: 0.75,
  ...over,
});
