import type { Reception } from '../../model/frame.ts';

/** A radio frame as a concentrator delivered it: its CRC was good, nothing else is known. */
export interface HeardFrame {
  readonly phyPayload: Uint8Array;
  readonly reception: Reception;
  readonly receivedAt: number;
}
