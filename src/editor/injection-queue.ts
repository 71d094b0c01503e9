import { GatewayError } from '../runtime/errors.ts';
import type { GatewayClient } from './gateway-client.ts';

/** Messages waiting for the gateway; beyond it a message is refused at once. */
const MAX_WAITING = 1000;
const MAX_PER_REQUEST = 500;

export type InjectionResult = GatewayError | undefined;

interface Waiting {
  readonly node: string;
  readonly sample: unknown;
  readonly settle: (result: InjectionResult) => void;
}

/**
 * Samples that foreign nodes send into Cigale nodes, on their way to the gateway. One request at a time: what
 * arrives meanwhile goes together. The gateway takes a request whole or not at all, so a refused request is tried again
 * sample by sample and each message learns its own fate.
 */
export class InjectionQueue {
  readonly #client: GatewayClient;
  readonly #waiting: Waiting[] = [];
  #busy = false;
  #refusedTotal = 0;

  constructor(client: GatewayClient) {
    this.#client = client;
  }

  /** Messages that were refused because too many waited. */
  get refusedTotal(): number {
    return this.#refusedTotal;
  }

  /** Calls `settle` once: with nothing when the sample is on disk, else with the reason. */
  push(node: string, sample: unknown, settle: (result: InjectionResult) => void): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#refusedTotal += 1;
      settle(new GatewayError('STORE_BACKPRESSURE', `more than ${MAX_WAITING} messages wait for the gateway`));
      return;
    }
    this.#waiting.push({ node, sample, settle });
    if (!this.#busy) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    for (let batch = this.#next(); batch.length > 0; batch = this.#next()) await this.#deliver(batch);
    this.#busy = false;
  }

  /** The oldest messages that go to one node. */
  #next(): Waiting[] {
    const node = this.#waiting[0]?.node;
    let length = 0;
    while (length < MAX_PER_REQUEST && this.#waiting[length] !== undefined && this.#waiting[length]?.node === node) {
      length += 1;
    }
    return this.#waiting.splice(0, length);
  }

  async #deliver(batch: readonly Waiting[]): Promise<void> {
    const { result, isRefused } = await this.#post(batch);
    if (isRefused && batch.length > 1) {
      for (const one of batch) await this.#deliver([one]);
      return;
    }
    for (const one of batch) one.settle(result);
  }

  async #post(batch: readonly Waiting[]): Promise<{ result: InjectionResult; isRefused: boolean }> {
    try {
      const body = { node: batch[0]?.node ?? '', samples: batch.map((one) => one.sample) };
      const answer = await this.#client.call('/v1/samples', { method: 'POST', body });
      if (answer.ok) return { result: undefined, isRefused: false };
      const { code, detail } = answer.problem;
      const result = new GatewayError('INJECTION_REFUSED', detail, { context: { code } });
      return { result, isRefused: answer.status < 500 };
    } catch (cause) {
      const result =
        cause instanceof GatewayError ? cause : new GatewayError('INTERNAL', 'a sample was not sent', { cause });
      return { result, isRefused: false };
    }
  }
}
