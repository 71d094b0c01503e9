import type { Destination } from './record.ts';
import type { Domain } from './quantity.ts';
import type { Encoding } from './batch.ts';

/**
 * What a flow asks for, once compiled: every value checked, every default filled in, durations in milliseconds.
 * `nodeId` is the Node-RED id (of the expanded node, inside subflows). Two plans are compared part by part with
 * `isDeepStrictEqual`, so parts hold plain data only.
 */
export interface Plan {
  readonly gateway: GatewaySettings;
  readonly brokers: readonly BrokerSettings[];
  readonly ports: readonly PortSettings[];
  readonly concentrators: readonly ConcentratorSettings[];
  readonly serialSources: readonly SerialSourceSettings[];
  readonly loraSources: readonly LoraSourceSettings[];
  readonly rules: readonly RuleSettings[];
  readonly streams: readonly StreamSettings[];
  /** By `nodeId:output`: where records of that output go. Outputs without Cigale destinations are absent. */
  readonly routes: Readonly<Record<string, readonly Destination[]>>;
  /** By node id: where a sample injected into that node goes. Only nodes that a foreign node is wired to. */
  readonly injections: Readonly<Record<string, readonly Destination[]>>;
  /** Outputs (`nodeId:output`) that are wired to foreign nodes. */
  readonly taps: readonly string[];
}

export interface GatewaySettings {
  readonly nodeId: string;
  /** `[a-z0-9-]{1,40}` */
  readonly gateway: string;
  /** IANA zone; only day parts use it. */
  readonly timezone: string;
  /** At-risk time of unconfirmed data. */
  readonly commitIntervalMs: number;
  /** Own quota on the store; null: none. */
  readonly diskLimitMb: number | null;
  /** How long acknowledged batches stay for resending. */
  readonly keepAfterAckMs: number;
}

export interface BrokerSettings {
  readonly nodeId: string;
  readonly name: string;
  /** `mqtt:` `mqtts:` `ws:` `wss:` */
  readonly url: string;
  /** MQTT 5, or 4 (MQTT 3.1.1), which cannot report a refused publish. */
  readonly protocol: 5 | 4;
  readonly topicPrefix: string;
  /** Empty: `cigale-GATEWAY-NODE`. */
  readonly clientId: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** Take PUBACK 0x10 (no matching subscribers) as an acknowledgement. */
  readonly allowNoSubscriber: boolean;
}

export interface PortSettings {
  readonly nodeId: string;
  readonly name: string;
  /** `/dev/…` or `tcp://host:port`. */
  readonly path: string;
  readonly baudRate: number;
  readonly dataBits: 5 | 6 | 7 | 8;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 1.5 | 2;
  readonly framing: 'line';
  readonly delimiter: string;
  /** A line longer than this is dropped whole and counted. */
  readonly maxFrameBytes: number;
}

export interface ConcentratorSettings {
  readonly nodeId: string;
  readonly name: string;
  readonly kind: 'udp';
  readonly bind: string;
  /** UDP port; 0 takes a free one (tests). */
  readonly port: number;
  /** Allowed concentrator EUIs, lower-case hex; empty: all. */
  readonly gateways: readonly string[];
  readonly region: 'EU868';
  readonly netId: string;
}

export type LineFormat = 'csv' | 'keyvalue' | 'json' | 'regex' | 'nmea';

export interface ChannelSettings {
  /** csv: column from `"0"`, or a header's name; keyvalue: the key; json: `/` path; regex: group; nmea: `MWV:1`, `XDR:TEMP`. */
  readonly key: string;
  readonly quantity: string;
  readonly channel: string;
  /** Unit the device speaks; empty: the quantity's own, or the one the line carries. */
  readonly unit: string;
  readonly scale: number;
  readonly offset: number;
  /** Averaging time of the value; null: instantaneous. */
  readonly averagingMs: number | null;
}

export interface SerialSourceSettings {
  readonly nodeId: string;
  readonly name: string;
  /** Node id of the `cigale-port`. */
  readonly port: string;
  readonly format: LineFormat;
  readonly separator: string;
  /** regex: the pattern, with named or numbered groups. */
  readonly pattern: string;
  /** Whether a checksum that the format knows must be there: `auto` checks it where it stands. */
  readonly checksum: 'auto' | 'required' | 'none';
  readonly channels: readonly ChannelSettings[];
  readonly place: string;
  readonly device: string;
  /** Lines of other addresses are not this node's; empty: all lines. */
  readonly address: string;
  readonly poll: { readonly command: string; readonly everyMs: number } | null;
  readonly silentAfterMs: number | null;
}

export interface LoraSourceSettings {
  readonly nodeId: string;
  readonly name: string;
  readonly concentrator: string;
  /** Each list empty: no restriction. */
  readonly places: readonly string[];
  readonly tags: readonly string[];
  readonly quantities: readonly string[];
}

interface RuleBase {
  readonly nodeId: string;
  readonly name: string;
  readonly domain: Domain;
  /** Window lengths, ascending, each dividing a day. */
  readonly periodsMs: readonly number[];
  /** Below it an aggregate is published with `valid: false`. */
  readonly minCoverage: number;
}
export interface NoiseRuleSettings extends RuleBase {
  readonly domain: 'noise';
  /** N of each LN: the level exceeded N % of the time. */
  readonly levels: readonly number[];
}
export interface HeatRuleSettings extends RuleBase {
  readonly domain: 'heat';
}
export interface CountRuleSettings extends RuleBase {
  readonly domain: 'count';
}
export type RuleSettings = NoiseRuleSettings | HeatRuleSettings | CountRuleSettings;

export interface StreamSettings {
  readonly nodeId: string;
  readonly name: string;
  /** Node id of the `cigale-broker`. */
  readonly broker: string;
  readonly stream: string;
  readonly maxRecords: number;
  /** Largest message, bytes: the body before compression, topic and headers. The broker's own limit holds if it is lower. */
  readonly maxBytes: number;
  /** A batch is sealed when its oldest record has waited this long. */
  readonly maxAgeMs: number;
  readonly order: 'live-first' | 'in-order';
  /** Records a second that the backlog lane may send. */
  readonly backlogRate: number;
  /** `deploy`: only records accepted from the stream's first deploy on. */
  readonly since: 'deploy';
  readonly format: 'json';
  readonly compress: Encoding;
}
