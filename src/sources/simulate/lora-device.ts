import { createRequire } from 'node:module';

/** The part of lora-packet that is used; its own types do not fit an ES module (the package is CommonJS). */
interface LoraPacketLibrary {
  fromFields(
    fields: Readonly<Record<string, unknown>>,
    appSKey: Buffer,
    nwkSKey: Buffer,
    appKey: undefined,
    fCntUpperBytes: Buffer,
  ): { getPHYPayload(): Buffer | undefined };
}

const loraPacket = createRequire(import.meta.url)('lora-packet') as LoraPacketLibrary;

export interface DeviceIdentity {
  /** 8 hex digits. */
  readonly devAddr: string;
  /** 32 hex digits each. */
  readonly nwkSKey: string;
  readonly appSKey: string;
}

/** An ABP class A device: encrypts and signs as a real one does. Its counter is the caller's to keep. */
export class SimulatedDevice {
  readonly #identity: DeviceIdentity;
  #fCnt: number;

  constructor(identity: DeviceIdentity, firstFCnt: number) {
    this.#identity = identity;
    this.#fCnt = firstFCnt;
  }

  /** Counter of the next uplink. */
  get fCnt(): number {
    return this.#fCnt;
  }

  /** PHYPayload of the next uplink (LoRaWAN 1.0.4 §4). */
  uplink(fPort: number, payload: Uint8Array, confirmed = false): Uint8Array {
    const { devAddr, nwkSKey, appSKey } = this.#identity;
    const fCnt = this.#fCnt;
    this.#fCnt += 1;
    const upper = Buffer.alloc(2);
    upper.writeUInt16LE(fCnt >>> 16);
    const packet = loraPacket.fromFields(
      {
        MType: confirmed ? 'Confirmed Data Up' : 'Unconfirmed Data Up',
        DevAddr: Buffer.from(devAddr, 'hex'),
        FCtrl: { ADR: false, ACK: false, ADRACKReq: false, FPending: false },
        FCnt: fCnt & 0xffff,
        FPort: fPort,
        payload: Buffer.from(payload),
      },
      Buffer.from(appSKey, 'hex'),
      Buffer.from(nwkSKey, 'hex'),
      undefined,
      upper,
    );
    const wire = packet.getPHYPayload();
    if (wire === undefined) throw new Error('lora-packet built no frame');
    return wire;
  }
}
