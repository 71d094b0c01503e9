/** What a window publishes: values by name (null: nothing was measured) and the instants of extremes, by the name of the value. */
export interface Outcome {
  readonly values: Readonly<Record<string, number | null>>;
  readonly at: Readonly<Record<string, number>>;
}

/** A value on its way into a window. */
export interface Entering {
  readonly value: number;
  /** Instant of the value, for extremes. */
  readonly observedAt: number;
  /** Averaging time; null for an instantaneous value. */
  readonly periodMs: number | null;
  /** Time the value stands for; null when nobody knows. */
  readonly durationMs: number | null;
}

/** State of one window of one series. Pure: it depends on what was added, and on nothing else. */
export interface Accumulator {
  /** Number of values that entered. */
  readonly count: number;
  add(entering: Entering): void;
  outcome(): Outcome;
  /** The whole state as text: equal for equal contents, whatever the rule publishes of it. */
  state(): string;
}

export interface MergeableAccumulator<Self> extends Accumulator {
  /** Adds what another accumulator took in: the result is that of one accumulator which took in both. */
  merge(other: Self): void;
}
