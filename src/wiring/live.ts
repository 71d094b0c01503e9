import { outputKey } from '../model/ids.ts';
import { recordJson } from '../model/record-json.ts';
import type { LogEntry } from '../model/record.ts';
import type { Rejection } from '../model/frame.ts';
import { rfc3339 } from '../model/instant.ts';
import type { NodeStatus } from '../model/status.ts';
import type { GatewayEvent } from '../api/gateway-port.ts';

const EMPTY: ReadonlySet<string> = new Set();

/** What happens now, for whoever watches: taps of the flow, node statuses, deploys. Watchers never hold up acceptance. */
export class LiveHub {
  readonly #listeners = new Set<(event: GatewayEvent) => void>();
  readonly #statuses = new Map<string, string>();
  #taps: ReadonlySet<string> = EMPTY;

  subscribe(listener: (event: GatewayEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  setTaps(taps: readonly string[]): void {
    this.#taps = new Set(taps);
  }

  publish(event: GatewayEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Records that a node's output gave, once they are on disk; only outputs wired to foreign nodes are watched. */
  publishRecords(node: string, output: number, entries: readonly LogEntry[]): void {
    if (this.#listeners.size === 0 || !this.#taps.has(outputKey(node, output))) return;
    for (const entry of entries) {
      const { record } = entry;
      const topic = record.kind === 'gap' ? record.place : `${record.place}/${record.quantity}`;
      this.publish({ event: 'record', data: { node, output, topic, payload: recordJson(entry) } });
    }
  }

  publishRejection(node: string, output: number, rejection: Rejection): void {
    if (this.#listeners.size === 0 || !this.#taps.has(outputKey(node, output))) return;
    const payload = { ...rejection, receivedAt: rfc3339(rejection.receivedAt) };
    this.publish({ event: 'rejected', data: { node, output, topic: '', payload } });
  }

  /** Publishes what changed since the last call. */
  publishStatuses(statuses: readonly NodeStatus[]): void {
    const current = new Set(statuses.map((status) => status.node));
    for (const node of this.#statuses.keys()) if (!current.has(node)) this.#statuses.delete(node);
    for (const status of statuses) {
      const text = JSON.stringify(status);
      if (this.#statuses.get(status.node) === text) continue;
      this.#statuses.set(status.node, text);
      this.publish({ event: 'status', data: status });
    }
  }
}
