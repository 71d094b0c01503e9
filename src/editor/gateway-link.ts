import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Service } from '../runtime/lifecycle.ts';
import type { Language, Text } from '../model/text.ts';
import type { NodeStatus } from '../model/status.ts';
import { EventStream } from './event-stream.ts';
import { InjectionQueue, type InjectionResult } from './injection-queue.ts';
import type { GatewayClient } from './gateway-client.ts';

/** Statuses kept for nodes that are not running; a flow has far fewer nodes. */
const MAX_STATUSES = 5000;
const UNREACHABLE: Text = { en: 'gateway not running', fr: 'passerelle arrêtée' };

/** A message of a tapped output, as the gateway sends it. */
export interface TapEvent {
  readonly node: string;
  readonly output: number;
  readonly topic?: string;
  readonly payload: unknown;
}

/** A flow node as the link sees it. */
export interface LinkedNode {
  showStatus(status: { fill: NodeStatus['fill']; shape: NodeStatus['shape']; text: string }): void;
  emit(tap: TapEvent): void;
}

interface Parts {
  readonly client: GatewayClient;
  readonly language: Language;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/**
 * The one connection between the flow nodes of the editor process and the gateway: statuses and taps in, samples out.
 * Nodes come and go with each deploy; the connection stays.
 */
export class GatewayLink implements Service {
  readonly #nodes = new Map<string, LinkedNode>();
  readonly #statuses = new Map<string, NodeStatus>();
  readonly #stream: EventStream;
  readonly #queue: InjectionQueue;
  readonly #language: Language;
  #isConnected = false;
  #onFlow: ((version: number) => void) | undefined;

  constructor({ client, language, clock, random, log }: Parts) {
    this.#language = language;
    this.#queue = new InjectionQueue(client);
    const listener = {
      onEvent: (event: string, data: unknown) => this.#take(event, data),
      onConnected: (connected: boolean) => this.#connected(connected),
    };
    this.#stream = new EventStream({ client, listener, clock, random, log });
  }

  /** Registers what to do when a flow version was deployed, by whomever. */
  onFlow(listener: (version: number) => void): void {
    this.#onFlow = listener;
  }

  start(): Promise<void> {
    return this.#stream.start();
  }

  stop(): Promise<void> {
    return this.#stream.stop();
  }

  /** A flow node starts; the returned function ends it. */
  attach(id: string, node: LinkedNode): () => void {
    this.#nodes.set(id, node);
    // Later, when the nodes that watch statuses have been started too.
    setImmediate(() => this.#show(id));
    return () => {
      if (this.#nodes.get(id) === node) this.#nodes.delete(id);
    };
  }

  /** Hands a sample to the gateway; `settle` learns whether it is on disk. */
  inject(node: string, sample: object, settle: (result: InjectionResult) => void): void {
    this.#queue.push(node, sample, settle);
  }

  #connected(connected: boolean): void {
    if (connected === this.#isConnected) return;
    this.#isConnected = connected;
    if (!connected) this.#statuses.clear();
    for (const id of this.#nodes.keys()) this.#show(id);
  }

  #show(id: string): void {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    if (!this.#isConnected) {
      node.showStatus({ fill: 'grey', shape: 'ring', text: UNREACHABLE[this.#language] });
      return;
    }
    const status = this.#statuses.get(id);
    if (status !== undefined) {
      node.showStatus({ fill: status.fill, shape: status.shape, text: status.text[this.#language] });
    }
  }

  #take(event: string, data: unknown): void {
    if (event === 'status') this.#takeStatus(data as NodeStatus);
    else if (event === 'record' || event === 'rejected') this.#takeTap(data as TapEvent);
    else if (event === 'flow') this.#onFlow?.((data as { version: number }).version);
  }

  #takeStatus(status: NodeStatus): void {
    if (!this.#statuses.has(status.node) && this.#statuses.size >= MAX_STATUSES) return;
    this.#statuses.set(status.node, status);
    this.#show(status.node);
  }

  #takeTap(tap: TapEvent): void {
    this.#nodes.get(tap.node)?.emit(tap);
  }
}
