/** One whole line of a serial port, without its delimiter, as bytes: what they mean is the decoder's business. */
export interface LineFrame {
  readonly bytes: Uint8Array;
  /** When the read that completed it returned; its resolution is the port's read interval. */
  readonly receivedAt: number;
}

/** Why bytes of a source were not turned into measurements; also the `reason` label of the rejection counter. */
export type RejectReason =
  | 'too-long'
  | 'stale'
  | 'empty'
  | 'not-text'
  | 'bad-checksum'
  | 'missing-checksum'
  | 'malformed'
  | 'no-channel'
  | 'bad-value'
  | 'wrong-address'
  | 'decoder-error';

export interface Rejection {
  readonly reason: RejectReason;
  /** For people: what was wrong and where, in English; bounded to 200 characters. */
  readonly detail: string;
  /** The frame as text (serial) or hex (LoRa), bounded to 200 characters. */
  readonly excerpt: string;
  readonly receivedAt: number;
}

/** How a concentrator heard a frame. */
export interface Reception {
  /** EUI of the concentrator, 16 lower-case hex digits. */
  readonly gatewayEui: string;
  /** Concentrator's microsecond counter at the end of reception; wraps at 2^32. */
  readonly tmst: number;
  readonly frequencyHz: number;
  /** "SF7BW125", or the FSK bit rate as text. */
  readonly dataRate: string;
  readonly rssiDbm: number | null;
  readonly snrDb: number | null;
  /** GPS time of the concentrator as UTC, where it has one. */
  readonly gpsAt: number | null;
}

/** A LoRaWAN data uplink that passed length, counter and MIC checks and is about to be accepted. */
export interface Uplink {
  readonly device: string;
  readonly devAddr: string;
  /** Full 32-bit FCntUp. */
  readonly fCnt: number;
  readonly confirmed: boolean;
  readonly phyPayload: Uint8Array;
  readonly receivedAt: number;
  readonly reception: Reception;
}

/** An uplink on disk: accepted. */
export interface StoredUplink extends Uplink {
  readonly id: number;
}
