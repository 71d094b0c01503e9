import type { Lane } from '../model/batch.ts';
import type { Text } from '../model/text.ts';
import type { ErrorCode } from '../runtime/error-codes.ts';

/** What became of a publish. Only `acknowledged` says that the broker took responsibility for it. */
export type PublishOutcome =
  | { readonly kind: 'acknowledged' }
  /** PUBACK 0x10: the broker threw it away because nobody subscribes. */
  | { readonly kind: 'no-subscriber' }
  /** A reason code of MQTT 5 §3.4.2.1; 0x95 also when it exceeds the broker's Maximum Packet Size and was not sent. */
  | { readonly kind: 'refused'; readonly reasonCode: number }
  /** It never left. */
  | { readonly kind: 'not-sent' }
  /** It left, and nobody knows whether it arrived. */
  | { readonly kind: 'connection-lost' };

export interface PublishProperties {
  readonly retain?: boolean;
  /** Default `live`: what goes before the backlog when the broker takes few messages at a time. Not sent. */
  readonly lane?: Lane;
  /** MQTT 5 only; ignored on 3.1.1. */
  readonly contentType?: string;
  /** MQTT 5 only; ignored on 3.1.1. */
  readonly userProperties?: Readonly<Record<string, string>>;
}

/** What the sender of a stream needs of a broker connection. */
export interface Publisher {
  readonly protocol: 5 | 4;
  readonly online: boolean;
  /** The broker's Maximum Packet Size (MQTT 5 §3.2.2.3.6); Infinity when it named none. */
  readonly maxPacketBytes: number;
  /** QoS 1. Never rejects, never sends by itself again; resolves at the latest after the acknowledgement deadline. */
  publish(topic: string, payload: Uint8Array, properties: PublishProperties): Promise<PublishOutcome>;
  /** Follows one topic over every reconnection; the returned function ends it. The listener must not throw. */
  subscribe(topic: string, listener: (payload: Uint8Array) => void): () => void;
  /** Called with `true` after each (re)connection and `false` after each loss. */
  onChange(listener: (online: boolean) => void): () => void;
}

export interface UpstreamStatus {
  readonly broker: string;
  readonly name: string;
  readonly state: 'connecting' | 'online' | 'offline';
  readonly sinceAt: number;
  /** Why the last attempt or connection failed; null while all is well. */
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    /** What it means to a technician. */
    readonly text: Text;
  } | null;
  readonly inFlight: number;
}
