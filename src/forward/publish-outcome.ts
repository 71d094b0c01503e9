import type { ReasonCode } from './connection.ts';
import type { PublishOutcome, PublishProperties } from './publisher.ts';

/** Fixed header, lengths and property identifiers around topic, payload and properties. */
const PACKET_OVERHEAD_BYTES = 64;
const NO_SUBSCRIBER = 0x10;
export const FIRST_FAILURE = 0x80;

/** What a PUBACK says of a publish; null: the connection ended before it came. */
export function outcomeOf(reason: ReasonCode, allowNoSubscriber: boolean): PublishOutcome {
  if (reason === null) return { kind: 'connection-lost' };
  if (reason === NO_SUBSCRIBER && !allowNoSubscriber) return { kind: 'no-subscriber' };
  return reason >= FIRST_FAILURE ? { kind: 'refused', reasonCode: reason } : { kind: 'acknowledged' };
}

/** Upper bound of a PUBLISH packet, bytes. */
export function packetBytes(topic: string, payload: Uint8Array, properties: PublishProperties): number {
  let bytes = PACKET_OVERHEAD_BYTES + Buffer.byteLength(topic) + payload.byteLength;
  bytes += Buffer.byteLength(properties.contentType ?? '');
  for (const [name, value] of Object.entries(properties.userProperties ?? {}))
    bytes += 5 + Buffer.byteLength(name) + Buffer.byteLength(value);
  return bytes;
}
