import type { NewEntry, Sample } from '../../src/model/record.ts';

const HOUR_MS = 3_600_000;

interface Hour {
  energyMs: number;
  timeMs: number;
  sum: number;
  samples: number;
}

/** A record as it stands in a body. */
export interface Body {
  readonly kind: 'sample' | 'aggregate' | 'gap';
  readonly id: string;
  readonly place: string;
  readonly quantity: string;
  readonly domain?: string;
  readonly flags?: readonly string[];
  readonly period?: string;
  readonly observedAt?: string;
  readonly start?: string;
  readonly revision?: number;
  readonly value?: number | null;
  readonly count?: number;
  readonly cause?: string;
  readonly from?: string;
  readonly to?: string;
  readonly values?: Readonly<Record<string, number | null>>;
}

export interface OutageVerdict {
  readonly accepted: number;
  readonly receivedSamples: number;
  readonly declaredDrops: number;
  readonly repeated: number;
  readonly hours: number;
  readonly worstLevelDb: number;
  readonly worstComputedDb: number;
  readonly wrongSums: number;
  readonly outsideGaps: number;
  readonly failures: readonly string[];
}

/** Recomputes each hour from what was received and compares it with what was measured; uses none of the gateway's own arithmetic. */
export class OutageOracle {
  readonly #truth = new Map<string, Hour>();
  readonly #got = new Map<string, Hour>();
  readonly #computed = new Map<number, number>();
  readonly #keys = new Set<string>();
  readonly #gaps: { readonly place: string; readonly from: number; readonly to: number }[] = [];
  /** By place, quantity and hour: samples that came as they are. */
  readonly #whole = new Map<string, number>();
  #accepted = 0;
  #received = 0;
  #declared = 0;
  #repeated = 0;
  /** Records by resolution. */
  readonly resolutions: Record<string, number> = {};

  accept(entries: readonly NewEntry[]): void {
    for (const { record } of entries) {
      if (record.kind !== 'sample') continue;
      this.#accepted += 1;
      addTo(this.#truth, record);
    }
  }

  receive(record: Body): void {
    const key =
      record.kind === 'aggregate'
        ? `${record.place} ${record.domain} ${record.quantity} ${record.period} ${record.start} ${record.revision}`
        : record.id;
    if (this.#keys.has(key)) {
      this.#repeated += 1;
      return;
    }
    this.#keys.add(key);
    if (record.kind === 'sample') this.#sample(record);
    else if (record.kind === 'gap') this.#gap(record);
    else if (record.domain === 'thinned') this.#thinned(record);
    else this.#rule(record);
  }

  #sample(record: Body): void {
    this.#received += 1;
    this.#count('raw');
    const observedAt = Date.parse(record.observedAt ?? '');
    const periodMs = record.quantity === 'LAeq' ? 1000 : null;
    const key = keyOf(record.place, record.quantity, periodMs === null ? observedAt : observedAt - 1);
    this.#whole.set(key, (this.#whole.get(key) ?? 0) + 1);
    addTo(this.#got, {
      place: record.place,
      quantity: record.quantity,
      observedAt,
      periodMs,
      value: record.value ?? null,
    });
  }

  #gap(record: Body): void {
    if (record.cause !== 'thinned') return;
    this.#declared += record.count ?? 0;
    this.#gaps.push({ place: record.place, from: Date.parse(record.from ?? ''), to: Date.parse(record.to ?? '') });
  }

  #thinned({ place, quantity, period, start, values = {}, count = 0 }: Body): void {
    this.#count(period ?? '');
    const hour = hourOf(this.#got, place, quantity, Date.parse(start ?? ''));
    const timeMs = (values['duration'] ?? 0) * 1000;
    if (quantity === 'LAeq') hour.energyMs += timeMs * 10 ** ((values['LAeq'] ?? Number.NaN) / 10);
    hour.timeMs += timeMs;
    hour.sum += values['sum'] ?? (values['mean'] ?? 0) * count;
    hour.samples += count;
  }

  #rule({ quantity, period, start, values = {} }: Body): void {
    if (quantity === 'LAeq' && period === 'PT1H')
      this.#computed.set(Date.parse(start ?? ''), values['LAeq'] ?? Number.NaN);
  }

  #count(resolution: string): void {
    this.resolutions[resolution] = (this.resolutions[resolution] ?? 0) + 1;
  }

  verdict(): OutageVerdict {
    let [worstLevelDb, worstComputedDb, wrongSums, hours] = [0, 0, 0, 0];
    for (const [key, truth] of this.#truth) {
      const got = this.#got.get(key) ?? { energyMs: 0, timeMs: 0, sum: Number.NaN, samples: 0 };
      const isLevel = key.includes('/LAeq/');
      if (isLevel) {
        hours += 1;
        const level = levelOf(truth);
        worstLevelDb = Math.max(worstLevelDb, differenceOf(level, levelOf(got)));
        const computed = this.#computed.get(Number(key.split('/')[2]));
        if (computed !== undefined) worstComputedDb = Math.max(worstComputedDb, differenceOf(level, computed));
      } else if (Math.abs(got.sum - truth.sum) > 1e-6 * Math.max(1, Math.abs(truth.sum))) wrongSums += 1;
      if (got.samples !== truth.samples) wrongSums += 1;
    }
    const facts = { accepted: this.#accepted, receivedSamples: this.#received, declaredDrops: this.#declared };
    const checks = { repeated: this.#repeated, hours, worstLevelDb, worstComputedDb, wrongSums };
    const outsideGaps = this.#outsideGaps();
    const failures = [
      ...(this.#accepted === this.#received + this.#declared ? [] : ['accepted is not received + declared']),
      ...(this.#repeated === 0 ? [] : ['records came twice']),
      ...(worstLevelDb <= 0.01 ? [] : ['an hourly level is off by more than 0.01 dB']),
      ...(worstComputedDb <= 0.01 ? [] : ['a computed hourly level is off by more than 0.01 dB']),
      ...(wrongSums === 0 ? [] : ['a count is not exact']),
      ...(outsideGaps === 0 ? [] : ['a sample that did not come lies outside the declared gaps']),
    ];
    return { ...facts, ...checks, outsideGaps, failures };
  }

  /** Places and hours in which samples are missing as such and that no declared gap touches. */
  #outsideGaps(): number {
    let outside = 0;
    for (const [key, truth] of this.#truth) {
      const [place = '', , start = ''] = key.split('/');
      const from = Number(start);
      if ((this.#whole.get(key) ?? 0) >= truth.samples) continue;
      const to = from + HOUR_MS;
      if (!this.#gaps.some((gap) => gap.place === place && gap.from < to && gap.to >= from)) outside += 1;
    }
    return outside;
  }
}

type Measured = Pick<Sample, 'place' | 'quantity' | 'observedAt' | 'periodMs' | 'value'>;

function addTo(hours: Map<string, Hour>, { place, quantity, observedAt, periodMs, value }: Measured): void {
  const hour = hourOf(hours, place, quantity, periodMs === null ? observedAt : observedAt - 1);
  hour.samples += 1;
  hour.sum += quantity === 'LAeq' ? 0 : (value ?? 0);
  hour.timeMs += periodMs ?? 0;
  hour.energyMs += quantity === 'LAeq' ? (periodMs ?? 0) * 10 ** ((value ?? 0) / 10) : 0;
}

function hourOf(hours: Map<string, Hour>, place: string, quantity: string, at: number): Hour {
  const key = keyOf(place, quantity, at);
  let hour = hours.get(key);
  if (hour === undefined) hours.set(key, (hour = { energyMs: 0, timeMs: 0, sum: 0, samples: 0 }));
  return hour;
}

const keyOf = (place: string, quantity: string, at: number): string =>
  `${place}/${quantity}/${Math.floor(at / HOUR_MS) * HOUR_MS}`;

const levelOf = ({ energyMs, timeMs }: Hour): number => 10 * Math.log10(energyMs / timeMs);
/** A level that is missing is as far off as can be. */
const differenceOf = (a: number, b: number): number => {
  const difference = Math.abs(a - b);
  return Number.isNaN(difference) ? Infinity : difference;
};
