/** The inventory: places, devices, and which device hung at which place from when to when. */

export interface Place {
  readonly id: string;
  readonly name: string;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly heightM: number | null;
  readonly tags: readonly string[];
}

/** One field of a codec's output (or `/` path into it) and the quantity it carries. */
export interface ChannelMap {
  readonly field: string;
  readonly quantity: string;
  /** Unit the device speaks; converted to the quantity's unit at decoding. */
  readonly unit: string;
  readonly channel: string;
}

export interface Device {
  readonly id: string;
  readonly model: string;
  readonly lorawan: 'otaa' | 'abp' | null;
  /** 16 lower-case hex digits, or empty. */
  readonly devEui: string;
  readonly joinEui: string;
  /** 8 lower-case hex digits, or empty. */
  readonly devAddr: string;
  /** Accept an uplink counter that went back to 0 (ABP devices that lose it at power-off). */
  readonly relaxedCounter: boolean;
  /** Name of the codec; empty: the one stored for the model. */
  readonly codec: string;
  /** Expected time between uplinks; null when unknown. */
  readonly intervalMs: number | null;
  readonly channels: readonly ChannelMap[];
}

/** `[from, to)`; `to` null while the device hangs there. */
export interface Assignment {
  readonly place: string;
  readonly device: string;
  readonly from: number;
  readonly to: number | null;
}

/** Session keys of a device, hex; they exist in clear only in memory. */
export interface SessionKeys {
  readonly nwkSKey: string;
  readonly appSKey: string;
}
