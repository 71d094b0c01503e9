import type { InjectRequest, InjectedSample } from '../api/gateway-port.ts';
import { isInstant } from '../model/instant.ts';
import type { Plan } from '../model/plan.ts';
import { findQuantity, isPlausible, type Quantity } from '../model/quantity.ts';
import type { Destination, Flag, Measurement } from '../model/record.ts';
import { convertUnit } from '../model/unit.ts';
import { GatewayError } from '../runtime/errors.ts';
import type { Acceptance } from './acceptance.ts';
import type { Deps } from './deps.ts';
import type { Store } from '../store/store.ts';

/** Keys of injected samples that are remembered, so that a retry within the last 10,000 does not count twice. */
const MAX_KEYS = 10_000;

interface Keyed {
  /** Empty: the sample has none. */
  readonly key: string;
  readonly measurement: Measurement;
}

/** Samples from outside the plan's sources: foreign nodes of the editor, the API. */
export class Injection {
  readonly #store: Store;
  readonly #acceptance: Acceptance;
  readonly #deps: Deps;
  /** With the commit that holds the sample: a retry is answered no sooner than the request that it repeats. */
  readonly #keys = new Map<string, Promise<unknown>>();

  constructor(store: Store, acceptance: Acceptance, deps: Deps) {
    this.#store = store;
    this.#acceptance = acceptance;
    this.#deps = deps;
  }

  /** Resolves with the number of samples that are on disk now; throws API_BAD_REQUEST naming the sample at fault, then none is taken. */
  async inject({ node, samples }: InjectRequest, plan: Plan | null): Promise<number> {
    const to = node === '' ? [] : plan?.injections[node];
    if (to === undefined) {
      throw new GatewayError('API_BAD_REQUEST', `node ${node} of the running flow takes no samples from other nodes`, {
        context: { node },
      });
    }
    const measurements = samples.map((sample, index) => ({
      key: sample.key,
      measurement: this.#measurement(sample, index),
    }));
    const given = new Set<string>();
    const repeated = new Set<Promise<unknown>>();
    const fresh = measurements.filter(({ key }) => {
      const commit = this.#keys.get(key);
      if (commit !== undefined) repeated.add(commit);
      const isFresh = key === '' || (commit === undefined && !given.has(key));
      given.add(key);
      return isFresh;
    });
    await this.#append(node, to, fresh);
    await Promise.all(repeated);
    return samples.length;
  }

  async #append(node: string, to: readonly Destination[], fresh: readonly Keyed[]): Promise<void> {
    const commit = this.#store.append(fresh.map(({ measurement }) => this.#acceptance.entryOf(measurement, to)));
    for (const { key } of fresh) this.#remember(key, commit);
    try {
      this.#acceptance.accepted(node, await commit);
    } catch (error) {
      for (const { key } of fresh) this.#keys.delete(key);
      throw error;
    }
  }

  #measurement(sample: InjectedSample, index: number): Measurement {
    const quantity = findQuantity(sample.quantity);
    const fault = (detail: string): GatewayError =>
      new GatewayError('API_BAD_REQUEST', `samples.${index}: ${detail}`, { context: { index } });
    if (quantity === undefined) throw fault(`quantity ${sample.quantity} is not in the catalogue`);
    const value =
      sample.value === null || sample.unit === ''
        ? sample.value
        : convertUnit(sample.value, sample.unit, quantity.unit);
    if (value === undefined) throw fault(`unit ${sample.unit} cannot be converted to ${quantity.unit}`);
    if (sample.observedAt !== null && !isInstant(sample.observedAt))
      throw fault(`observedAt ${sample.observedAt} is not within the years 1970 to 9999`);
    const receivedAt = this.#deps.clock.nowMs();
    return {
      place: sample.place,
      channel: sample.channel,
      device: sample.device,
      quantity: quantity.id,
      unit: quantity.unit,
      observedAt: sample.observedAt ?? receivedAt,
      receivedAt,
      periodMs: sample.periodMs,
      intervalMs: sample.periodMs,
      value,
      ...judge(quantity, value),
    };
  }

  #remember(key: string, commit: Promise<unknown>): void {
    if (key === '') return;
    this.#keys.set(key, commit);
    const oldest = this.#keys.size > MAX_KEYS ? this.#keys.keys().next().value : undefined;
    if (oldest !== undefined) this.#keys.delete(oldest);
  }
}

function judge(quantity: Quantity, value: number | null): { quality: Measurement['quality']; flags: readonly Flag[] } {
  if (value === null) return { quality: 'bad', flags: ['injected', 'missing'] };
  if (!isPlausible(quantity, value)) return { quality: 'suspect', flags: ['injected', 'out-of-range'] };
  return { quality: 'good', flags: ['injected'] };
}
