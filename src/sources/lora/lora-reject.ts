import type { Metrics } from '../../runtime/metrics.ts';

/** Why a datagram, a received packet or a LoRaWAN frame was refused: the `reason` label of the rejection counter. */
export type LoraRejectReason =
  // datagram
  | 'too-long'
  | 'malformed'
  | 'forbidden-gateway'
  | 'too-deep'
  | 'too-many'
  | 'unexpected'
  // received packet (rxpk)
  | 'bad-crc'
  | 'no-crc'
  | 'empty'
  | 'size-mismatch'
  // PHYPayload
  | 'too-short'
  | 'bad-length'
  | 'bad-major'
  | 'bad-fopts'
  | 'not-uplink'
  | 'proprietary'
  // network layer
  | 'unknown-device'
  | 'join-request'
  | 'bad-mic'
  | 'replay'
  | 'retransmission'
  | 'duplicate'
  | 'store-refused'
  | 'stopped';

/** Counts refused frames; `source` is a flow node's id, or `lora` for the network layer all concentrators share. */
export function countRejected(metrics: Metrics, source: string, reason: LoraRejectReason, amount = 1): void {
  metrics.count(
    'cigale_frames_rejected_total',
    'Frames that were not turned into measurements',
    { source, reason },
    amount,
  );
}
