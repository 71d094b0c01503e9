type Labels = Readonly<Record<string, string>>;

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly series: Map<string, number>;
}

const escapeLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const labelText = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
};

/** Series beyond this many per family are counted together, so that hostile labels cannot grow memory. */
const MAX_SERIES = 2000;
const SECONDS_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5] as const;

/** The gateway's own counters (never measurements), in OpenMetrics text at `/v1/metrics`. */
export class Metrics {
  readonly #families = new Map<string, Family>();

  /** Adds to a counter; `name` ends in `_total`. */
  count(name: string, help: string, labels: Labels = {}, amount = 1): void {
    const { series } = this.#family(name, help, 'counter');
    const key = this.#bounded(series, labelText(labels));
    series.set(key, (series.get(key) ?? 0) + amount);
  }

  gauge(name: string, help: string, value: number, labels: Labels = {}): void {
    const { series } = this.#family(name, help, 'gauge');
    series.set(this.#bounded(series, labelText(labels)), value);
  }

  /** Removes one series of a gauge: what it described is gone. */
  forget(name: string, labels: Labels): void {
    this.#families.get(name)?.series.delete(labelText(labels));
  }

  /** Observes a duration in seconds; `name` ends in `_seconds`. */
  observe(name: string, help: string, seconds: number): void {
    const { series } = this.#family(name, help, 'histogram');
    for (const bound of SECONDS_BUCKETS) {
      const key = `_bucket{le="${bound}"}`;
      series.set(key, (series.get(key) ?? 0) + (seconds <= bound ? 1 : 0));
    }
    for (const [key, amount] of [
      ['_bucket{le="+Inf"}', 1],
      ['_count', 1],
      ['_sum', seconds],
    ] as const) {
      series.set(key, (series.get(key) ?? 0) + amount);
    }
  }

  /** Current value of a counter or gauge; 0 when it was never touched. */
  value(name: string, labels: Labels = {}): number {
    return this.#families.get(name)?.series.get(labelText(labels)) ?? 0;
  }

  /** Sum of a counter over all its label values. */
  total(name: string): number {
    let sum = 0;
    for (const value of this.#families.get(name)?.series.values() ?? []) sum += value;
    return sum;
  }

  /** How many durations were observed under a histogram's name. */
  observations(name: string): number {
    return this.#families.get(name)?.series.get('_count') ?? 0;
  }

  /** OpenMetrics 1.0 text. */
  render(): string {
    const lines: string[] = [];
    for (const { name, help, type, series } of this.#families.values()) {
      const family = type === 'counter' ? name.replace(/_total$/, '') : name;
      lines.push(`# TYPE ${family} ${type}`, `# HELP ${family} ${help}`);
      for (const [labels, value] of series) lines.push(`${name}${labels} ${value}`);
    }
    return `${lines.join('\n')}\n# EOF\n`;
  }

  #family(name: string, help: string, type: Family['type']): Family {
    let family = this.#families.get(name);
    if (family === undefined) {
      family = { name, help, type, series: new Map() };
      this.#families.set(name, family);
    }
    return family;
  }

  #bounded(series: Map<string, number>, key: string): string {
    return series.has(key) || series.size < MAX_SERIES ? key : '{overflow="true"}';
  }
}
