import type { SessionKeys } from '../../model/device.ts';
import type { StoredUplink } from '../../model/frame.ts';
import { aesKey, decryptUplinkPayload } from './lorawan-crypto.ts';
import { parsePhyPayload } from './phy-payload.ts';

/** What the device's application sent. */
export interface UplinkPayload {
  /** null: no port, no payload; 0: MAC commands. */
  readonly fPort: number | null;
  readonly payload: Uint8Array;
}

/**
 * An accepted uplink's payload in clear: port 0 is encrypted with NwkSKey, every other port with AppSKey
 * (LoRaWAN 1.0.4 §4.3.3). Pure; the keys are those under which the frame was accepted.
 */
export function decryptUplink({ phyPayload, fCnt }: StoredUplink, keys: SessionKeys): UplinkPayload {
  const frame = parsePhyPayload(phyPayload);
  if (frame.kind !== 'data-up' || frame.fPort === null) return { fPort: null, payload: new Uint8Array(0) };
  const key = aesKey(frame.fPort === 0 ? keys.nwkSKey : keys.appSKey);
  return { fPort: frame.fPort, payload: decryptUplinkPayload(phyPayload, fCnt, key, frame.frmPayload) };
}
