import type { RejectReason } from '../../model/frame.ts';
import type { Metrics } from '../../runtime/metrics.ts';

/** What one port counts; `source` is the node id of its `cigale-port`. */
export class PortCounters {
  readonly #metrics: Metrics;
  readonly #labels: { readonly source: string };

  constructor(source: string, metrics: Metrics) {
    this.#metrics = metrics;
    this.#labels = { source };
  }

  bytes(count: number): void {
    this.#metrics.count('cigale_serial_bytes_total', 'Bytes read from serial ports.', this.#labels, count);
  }

  frames(count: number): void {
    this.#metrics.count('cigale_frames_received_total', 'Whole frames received.', this.#labels, count);
  }

  rejected(reason: RejectReason): void {
    this.#metrics.count('cigale_frames_rejected_total', 'Frames that gave no measurement.', {
      ...this.#labels,
      reason,
    });
  }

  discarded(bytes: number): void {
    const help = 'Bytes of over-long lines, thrown away.';
    this.#metrics.count('cigale_serial_discarded_bytes_total', help, this.#labels, bytes);
  }
}
