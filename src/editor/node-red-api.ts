/** The part of Node-RED 5 that this folder uses, named after its own documentation. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Message {
  topic?: string;
  payload?: unknown;
  [key: string | symbol]: unknown;
}

type Send = (messages: readonly (Message | null)[]) => void;
export type Done = (error?: Error) => void;

export interface FlowNode {
  readonly id: string;
  readonly type: string;
  /** Set on the node of a subflow instance: its own id in the subflow's template. */
  readonly _alias?: string;
  status(status: object): void;
  send(messages: readonly (Message | null)[]): void;
  on(event: 'input', handler: (message: Message, send: Send, done: Done) => void): void;
  on(event: 'close', handler: (done: () => void) => void): void;
}

export type NodeConfig = Readonly<Record<string, unknown>>;
type NodeConstructor = (this: FlowNode, config: NodeConfig) => void;

export interface TypeOptions {
  readonly credentials?: Readonly<Record<string, { readonly type: 'text' | 'password' }>>;
  readonly settings?: Readonly<Record<string, { readonly value: unknown; readonly exportable: boolean }>>;
}

/** What Node-RED hands to the module of a node. */
export interface NodeApi {
  readonly nodes: {
    createNode(node: FlowNode, config: NodeConfig): void;
    registerType(type: string, constructor: NodeConstructor, options?: TypeOptions): void;
  };
  readonly settings: Readonly<Record<string, unknown>>;
}

export type Handler = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;

export interface ReceiveEvent {
  readonly msg: Message;
  readonly destination: { readonly id: string; readonly node: FlowNode };
}

interface RuntimeEvent {
  readonly id: string;
  readonly payload?: { readonly error?: string; readonly types?: readonly string[] };
}

/** The embedded Node-RED. */
export interface NodeRed {
  init(server: object, settings: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly httpAdmin: Handler & { get(path: string, handler: Handler): void };
  readonly nodes: {
    createNode(node: FlowNode, config: NodeConfig): void;
    getType(type: string): unknown;
    registerType(nodeSet: string, type: string, constructor: NodeConstructor): void;
  };
  readonly hooks: { add(name: 'onReceive', handler: (event: ReceiveEvent) => boolean | undefined): void };
  readonly events: {
    on(event: 'runtime-event', listener: (event: RuntimeEvent) => void): void;
    once(event: 'flows:started', listener: () => void): void;
  };
  readonly runtime: {
    readonly flows: { setFlows(options: { flows: object; deploymentType: string }): Promise<unknown> };
  };
}
