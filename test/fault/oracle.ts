/** Recomputes what must have arrived from what did arrive: nothing here comes from the gateway's own code. */

export interface Received {
  readonly kind: string;
  readonly id: number;
  readonly place: string;
  readonly quantity: string;
  readonly observedAt?: string;
  readonly value?: number | null;
  readonly start?: string;
  readonly period?: string | null;
  readonly revision: number;
  readonly count?: number;
  readonly values?: Readonly<Record<string, number | null>>;
  /** Of a gap. */
  readonly cause?: string;
  readonly from?: string;
  readonly to?: string;
}

export interface Verdict {
  /** Ids at or below the greatest accepted or received one that never arrived. */
  readonly lost: number;
  /** Records that arrived under two different batches. */
  readonly duplicated: number;
  /** Numbers of generated samples that arrived under two ids. */
  readonly doubled: number;
  readonly aggregatesChecked: number;
  readonly aggregatesWrong: number;
  readonly gaps: number;
  /** Gaps that end before they begin, and times without a gateway in which samples were measured. */
  readonly gapsWrong: number;
  readonly details: readonly string[];
}

const MINUTE_MS = 60_000;
const TOLERANCE = 1e-6;
/** What was received just before a kill may be decoded, and be the last known, only after it. */
const GAP_TOLERANCE_MS = 2000;

/** A value with an averaging time is observed at its end: the second that ends at 10:01:00.000 belongs to 10:00. */
const windowOf = (record: Received): number => {
  const at = Date.parse(record.observedAt ?? '');
  const inside = record.period === null || record.period === undefined ? at : at - 1;
  return Math.floor(inside / MINUTE_MS) * MINUTE_MS;
};

function levels(values: readonly number[]): Record<string, number> {
  const energy = values.reduce((sum, level) => sum + 10 ** (level / 10), 0);
  const bins = values.map((level) => Math.floor(10 * level + 0.5)).toSorted((a, b) => b - a);
  const exceeded = (percent: number): number => (bins[Math.ceil((percent / 100) * bins.length) - 1] ?? Number.NaN) / 10;
  return { LAeq: 10 * Math.log10(energy / values.length), LA10: exceeded(10), LA50: exceeded(50), LA90: exceeded(90) };
}

const means = (values: readonly number[]): Record<string, number> => ({
  mean: values.reduce((sum, value) => sum + value, 0) / values.length,
  min: Math.min(...values),
  max: Math.max(...values),
});

const sums = (values: readonly number[]): Record<string, number> => ({
  sum: values.reduce((sum, value) => sum + value, 0),
});

const EXPECT: Readonly<Record<string, (values: readonly number[]) => Record<string, number>>> = {
  LAeq: levels,
  airTemperature: means,
  pedestrianCount: sums,
};

export class Oracle {
  readonly #byId = new Map<number, Received>();
  readonly #details: string[] = [];
  #duplicated = 0;

  /** A record of a batch whose number was not received before. */
  receive(record: Received): void {
    if (this.#byId.has(record.id)) {
      this.#duplicated += 1;
      this.#note(`id ${record.id} arrived in two batches`);
    }
    this.#byId.set(record.id, record);
  }

  get size(): number {
    return this.#byId.size;
  }

  has(id: number): boolean {
    return this.#byId.has(id);
  }

  /** `acceptedThrough`: greatest id reported on disk. Windows that ended before `closedBefore` must have been written. */
  judge(acceptedThrough: number, closedBefore: number): Verdict {
    const lost = this.#lost(acceptedThrough);
    const doubled = this.#doubled();
    const { checked, wrong } = this.#aggregates(closedBefore);
    const gaps = this.#gaps();
    return {
      lost,
      duplicated: this.#duplicated,
      doubled,
      aggregatesChecked: checked,
      aggregatesWrong: wrong,
      gaps: gaps.count,
      gapsWrong: gaps.wrong,
      details: this.#details,
    };
  }

  #lost(acceptedThrough: number): number {
    const last = Math.max(acceptedThrough, ...[...this.#byId.keys()].slice(-1), this.#greatest());
    let lost = 0;
    for (let id = 1; id <= last; id += 1) {
      if (this.#byId.has(id)) continue;
      lost += 1;
      this.#note(`id ${id} never arrived`);
    }
    return lost;
  }

  #greatest(): number {
    let greatest = 0;
    for (const id of this.#byId.keys()) greatest = Math.max(greatest, id);
    return greatest;
  }

  #doubled(): number {
    const seen = new Set<string>();
    let doubled = 0;
    for (const record of this.#byId.values()) {
      if (record.kind !== 'sample' || record.quantity !== 'number') continue;
      const key = `${record.place}/${record.value}`;
      if (seen.has(key)) {
        doubled += 1;
        this.#note(`number ${key} arrived under two ids`);
      }
      seen.add(key);
    }
    return doubled;
  }

  #aggregates(closedBefore: number): { checked: number; wrong: number } {
    const samples = new Map<string, number[]>();
    const written = new Map<string, Received>();
    const revisions = new Set<string>();
    let wrong = 0;
    const fail = (text: string): void => {
      wrong += 1;
      this.#note(text);
    };
    for (const record of this.#byId.values()) {
      if (record.kind === 'sample' && EXPECT[record.quantity] !== undefined && typeof record.value === 'number') {
        const key = `${record.place}/${record.quantity}/${windowOf(record)}`;
        samples.set(key, [...(samples.get(key) ?? []), record.value]);
      } else if (record.kind === 'aggregate') {
        const key = `${record.place}/${record.quantity}/${Date.parse(record.start ?? '')}`;
        if (revisions.has(`${key}/${record.revision}`)) fail(`window ${key} has revision ${record.revision} twice`);
        revisions.add(`${key}/${record.revision}`);
        const before = written.get(key);
        if (before === undefined || before.revision < record.revision) written.set(key, record);
      }
    }
    for (const [key, values] of samples) {
      const aggregate = written.get(key);
      const isDue = Number(key.split('/')[2]) + MINUTE_MS < closedBefore;
      if (aggregate === undefined) {
        if (isDue) fail(`window ${key} was never written`);
        continue;
      }
      const expected = EXPECT[key.split('/')[1] as string]?.(values) ?? {};
      const differs = Object.entries(expected).some(
        ([name, value]) =>
          Math.abs((aggregate.values?.[name] ?? Number.NaN) - value) > TOLERANCE ||
          Number.isNaN(aggregate.values?.[name] ?? Number.NaN),
      );
      if (aggregate.count !== values.length || differs) {
        fail(
          `window ${key}: ${JSON.stringify(aggregate.values)} of ${aggregate.count}, expected ${JSON.stringify(expected)} of ${values.length}`,
        );
      }
    }
    for (const key of written.keys()) if (!samples.has(key)) fail(`window ${key} has no samples`);
    return { checked: written.size, wrong };
  }

  #gaps(): { count: number; wrong: number } {
    const records = [...this.#byId.values()];
    const samples = records.filter(({ kind }) => kind === 'sample').map((one) => Date.parse(one.observedAt ?? ''));
    const gaps = records.filter(({ kind }) => kind === 'gap');
    const wrong = gaps.filter((gap) => {
      const [from, to] = [Date.parse(gap.from ?? ''), Date.parse(gap.to ?? '')];
      const isLie = gap.cause === 'gateway-off' && samples.some((at) => at > from + GAP_TOLERANCE_MS && at < to);
      return !(from <= to) || isLie;
    });
    for (const gap of wrong) this.#note(`gap ${gap.id} (${gap.cause}) from ${gap.from} to ${gap.to} is wrong`);
    return { count: gaps.length, wrong: wrong.length };
  }

  #note(text: string): void {
    if (this.#details.length < 50) this.#details.push(text);
  }
}
