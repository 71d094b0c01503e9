import type { BrokerSettings, GatewaySettings, StreamSettings } from '../model/plan.ts';
import { stopAll, type Service } from '../runtime/lifecycle.ts';
import { StreamSender } from '../forward/stream-sender.ts';
import { Upstream } from '../forward/upstream.ts';
import type { ReleasedStore } from './clock-hold.ts';
import type { Deps } from './deps.ts';

export type Credentials = Readonly<Record<string, Readonly<Record<string, string>>>>;

interface Link {
  readonly settings: BrokerSettings;
  readonly upstream: Upstream;
}

interface Outbox {
  readonly settings: StreamSettings;
  readonly sender: StreamSender;
}

/** Brokers and streams of the plan. One upstream that is down never delays another: each has a connection and senders of its own. */
export class Forwarding implements Service {
  readonly #store: ReleasedStore;
  readonly #deps: Deps;
  readonly #links = new Map<string, Link>();
  readonly #outboxes = new Map<string, Outbox>();

  constructor(store: ReleasedStore, deps: Deps) {
    this.#store = store;
    this.#deps = deps;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    // Together: each waits a moment for the last acknowledgements, and a slow broker must not delay the others.
    await Promise.all([...this.#outboxes.values()].map(({ sender }) => stopAll([sender], this.#deps.log)));
    await Promise.all([...this.#links.values()].map(({ upstream }) => stopAll([upstream], this.#deps.log)));
    this.#outboxes.clear();
    this.#links.clear();
  }

  upstreams(): readonly Link[] {
    return [...this.#links.values()];
  }

  outboxes(): readonly Outbox[] {
    return [...this.#outboxes.values()];
  }

  /** Since when a broker is not connected, epoch milliseconds; `nowMs` while it is. */
  offlineSince(broker: string, nowMs: number): number {
    const status = this.#links.get(broker)?.upstream.status();
    return status === undefined || status.state === 'online' ? nowMs : status.sinceAt;
  }

  async removeStream(stream: string): Promise<void> {
    await this.#outboxes.get(stream)?.sender.stop();
    this.#outboxes.delete(stream);
  }

  async removeBroker(nodeId: string): Promise<void> {
    await this.#links.get(nodeId)?.upstream.stop();
    this.#links.delete(nodeId);
  }

  async addBroker(settings: BrokerSettings, gateway: GatewaySettings, credentials: Credentials): Promise<void> {
    const { username, password } = credentials[settings.nodeId] ?? {};
    const upstream = new Upstream(
      settings,
      {
        gateway: gateway.gateway,
        epoch: this.#store.epoch,
        credentials: {
          ...(username === undefined ? {} : { username }),
          ...(password === undefined ? {} : { password }),
        },
      },
      this.#deps,
    );
    this.#links.set(settings.nodeId, { settings, upstream });
    await upstream.start();
  }

  async addStream(settings: StreamSettings, gateway: GatewaySettings): Promise<void> {
    const link = this.#links.get(settings.broker);
    if (link === undefined) return;
    const sender = new StreamSender(settings, {
      store: this.#store,
      upstream: link.upstream,
      gateway: gateway.gateway,
      topicPrefix: link.settings.topicPrefix,
      ...this.#deps,
    });
    this.#outboxes.set(settings.stream, { settings, sender });
    await sender.start();
  }
}
