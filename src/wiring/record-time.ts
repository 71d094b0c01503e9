import type { Uplink } from '../model/frame.ts';
import type { Measurement } from '../model/record.ts';

/** What the parts that take data in know of the gateway's line of time. */
export interface RecordTime {
  /** Marks a measurement that is taken before the clock is set, and puts one right that was taken then and comes after. */
  stamp(measurement: Measurement): Measurement;
  /** The instant in the line of time as it stands now. */
  settled(at: number): number;
  /** A frame that passed its checks may bring the GPS time of its concentrator. */
  heard(uplink: Uplink): void;
  /** The boot is new and its time not known: for how long the gateway was off cannot be told yet. */
  readonly isOffTimeUnknown: boolean;
  /** Called when the clock was set after records had been taken without. */
  onSet(listener: () => void): void;
}
