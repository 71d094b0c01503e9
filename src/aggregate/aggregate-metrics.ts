import type { Aggregate } from '../model/record.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Ignored } from './open-windows.ts';

/** The counters of the aggregation stage. Those that a sample can touch are added up and handed over block by block. */
export class AggregateMetrics {
  readonly #metrics: Metrics;
  readonly #ignored = new Map<Ignored, number>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  ignored(reason: Ignored): void {
    this.#ignored.set(reason, (this.#ignored.get(reason) ?? 0) + 1);
  }

  flush(): void {
    for (const [reason, amount] of this.#ignored) {
      this.#metrics.count(
        'cigale_aggregate_samples_ignored_total',
        'Samples that did not enter a window',
        { reason },
        amount,
      );
    }
    this.#ignored.clear();
  }

  written({ domain, revision }: Aggregate): void {
    const kind = revision === 0 ? 'first' : 'revision';
    this.#metrics.count('cigale_aggregates_written_total', 'Aggregates written to the log', { domain, kind });
  }

  /** A late sample for a window whose other samples are not kept any more. */
  refused(): void {
    this.#metrics.count(
      'cigale_aggregate_revisions_refused_total',
      'Late samples of windows that cannot be computed again',
    );
  }

  spilled(windows: number): void {
    this.#metrics.count(
      'cigale_aggregate_windows_spilled_total',
      'Windows closed early at the bound on memory',
      {},
      windows,
    );
  }

  state(openWindows: number, lagEntries: number): void {
    this.#metrics.gauge('cigale_aggregate_open_windows', 'Windows in memory', openWindows);
    this.#metrics.gauge('cigale_aggregate_lag_entries', 'Entries of the log not yet aggregated', lagEntries);
  }
}
