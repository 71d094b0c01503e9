import type { FlowFault } from '../model/fault.ts';
import type { LogEntry } from '../model/record.ts';
import type { RecordJson } from '../model/record-json.ts';
import type { NodeStatus } from '../model/status.ts';
import type { Text } from '../model/text.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Store } from '../store/store.ts';

/** What the API may ask of the gateway; the composition root implements it. */
export interface GatewayPort {
  readonly store: Store;
  readonly metrics: Metrics;
  status(): Promise<GatewayStatus>;
  currentFlow(): Promise<CurrentFlow>;
  checkFlow(flow: unknown): Promise<FlowCheck>;
  /** Compiles, stores and runs a flow; a flow with faults changes nothing. */
  deploy(request: DeployRequest): Promise<DeployResult>;
  rollback(version: number, author: string): Promise<DeployResult>;
  setSecret(node: string, field: string, value: string): Promise<void>;
  /** Accepts samples from outside the plan's sources; resolves when they are on disk. */
  inject(request: InjectRequest): Promise<number>;
  /** The newest sample of each series since the start. */
  latest(): readonly LogEntry[];
  /** Devices heard over LoRa that the registry does not know or refuses. */
  heard(): readonly HeardDevice[];
  importRegistry(csv: Uint8Array, options: { dryRun: boolean; partial: boolean }): Promise<unknown>;
  exportRegistry(withKeys: boolean): Promise<string>;
  /** `replaced` names the device that goes where several hang at the place. */
  replaceDevice(place: string, device: string, replaced: string | null): Promise<void>;
  saveCodec(name: string, script: string): Promise<void>;
  /** Sets the clock by a phone. Throws API_BAD_REQUEST for an impossible time, CLOCK_ALREADY_SET where a better source keeps it. */
  setClock(utcMs: number): Promise<void>;
  serialPorts(): Promise<readonly { readonly path: string; readonly label: string }[]>;
  /** Streams that the running or the newest flow names. */
  streamsInUse(): Promise<{ has(stream: string): boolean }>;
  subscribe(listener: (event: GatewayEvent) => void): () => void;
}

export interface HeardDevice {
  readonly kind: string;
  /** Of data frames; empty for a join-request. */
  readonly devAddr: string;
  /** Of join-requests; empty for a data frame. */
  readonly devEui: string;
  readonly joinEui: string;
  readonly reason: string;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly count: number;
  /** Of the last reception, with the concentrator that had it. */
  readonly rssiDbm: number | null;
  readonly snrDb: number | null;
  readonly gatewayEui: string;
}

export interface CurrentFlow {
  readonly version: number;
  readonly flow: readonly unknown[];
}

export interface FlowCheck {
  readonly faults: readonly FlowFault[];
  readonly notices: readonly unknown[];
}

export interface DeployRequest {
  readonly flow: unknown;
  readonly credentials: Readonly<Record<string, Readonly<Record<string, string>>>> | null;
  readonly author: string;
  /** Version the author started from; null deploys over whatever stands. */
  readonly expectedVersion: number | null;
}

export type DeployResult =
  | { readonly kind: 'deployed'; readonly version: number }
  | { readonly kind: 'refused'; readonly faults: readonly FlowFault[] };

export interface InjectRequest {
  /** Flow node the samples were sent to; empty: the store only. */
  readonly node: string;
  readonly samples: readonly InjectedSample[];
}

export interface InjectedSample {
  readonly place: string;
  readonly quantity: string;
  readonly value: number | null;
  readonly channel: string;
  readonly device: string;
  readonly unit: string;
  readonly observedAt: number | null;
  readonly periodMs: number | null;
  /** Makes a retry idempotent; empty: none. */
  readonly key: string;
}

export type GatewayEvent =
  | { readonly event: 'status'; readonly data: NodeStatus }
  | { readonly event: 'record' | 'rejected'; readonly data: TapMessage }
  | { readonly event: 'flow'; readonly data: { readonly version: number; readonly author: string } };

export interface TapMessage {
  readonly node: string;
  readonly output: number;
  /** `place/quantity`, or empty for a rejected frame. */
  readonly topic: string;
  readonly payload: RecordJson;
}

/** One part of the gateway as `cigale status` shows it. */
export interface StageStatus {
  readonly stage: 'port' | 'concentrator' | 'source' | 'rule' | 'broker' | 'stream' | 'editor' | 'store';
  readonly id: string;
  readonly name: string;
  readonly state: 'ok' | 'waiting' | 'failed';
  readonly text: Text;
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
}

export interface ClockFacts {
  readonly now: string;
  /** Whether a time service has set the system's clock; null where it cannot be told. */
  readonly synchronized: boolean | null;
  /** Of the gateway's own line of time. */
  readonly quality: 'set' | 'estimated';
  /** What set it; `system`: the system's clock, which nobody is known to keep; `none`: nothing yet. */
  readonly source: 'none' | 'system' | 'time-service' | 'gps' | 'phone';
  /** Records that wait for the clock to be set before they are sent. */
  readonly heldRecords: number;
  /** Times that the system's clock was moved since the start. */
  readonly steps: number;
}

export interface GatewayStatus {
  readonly gateway: string;
  readonly version: string;
  readonly epoch: string;
  readonly startedAt: string;
  readonly flow: { readonly running: number; readonly stored: number; readonly faults: readonly FlowFault[] };
  readonly acceptedTotal: number;
  readonly atRiskMs: number;
  readonly stages: readonly StageStatus[];
  readonly nodes: readonly NodeStatus[];
  readonly backlog: { readonly records: number; readonly oldestAt: string | null };
  readonly clock: ClockFacts;
  readonly disk: {
    readonly storeBytes: number;
    readonly limitBytes: number | null;
    readonly freeBytes: number;
    /** Over the last day of this run; null before ten minutes. */
    readonly growthBytesPerDay: number | null;
    /** Days that the room lasts at this rate; null where the rate is not known or the store does not grow. */
    readonly daysLeft: number | null;
    /** Days of outage that fit at the rate of the last hours before data loses resolution; null where the rate is not known. */
    readonly outageDays: number | null;
    /** Samples that lost resolution at the disk limit since the store was made. */
    readonly thinnedSamples: number;
  };
  readonly driver: string;
}
