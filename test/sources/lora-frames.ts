import { createRequire } from 'node:module';
import type { SessionKeys } from '../../src/model/device.ts';
import type { StoredUplink, Uplink } from '../../src/model/frame.ts';
import { GatewayError } from '../../src/runtime/errors.ts';
import type { HeardFrame } from '../../src/sources/lora/heard-frame.ts';
import type { Session, UplinkStore, Urgency } from '../../src/store/store.ts';

/** What the tests use of lora-packet: the oracle that writes frames and checks ours. */
interface Oracle {
  fromWire(bytes: Buffer): object;
  fromFields(
    fields: object,
    appSKey: Buffer,
    nwkSKey: Buffer,
    appKey?: Buffer,
    fCntMsb?: Buffer,
  ): { getPHYPayload(): Buffer };
  verifyMIC(packet: object, nwkSKey?: Buffer, appKey?: Buffer, fCntMsb?: Buffer): boolean;
  decrypt(packet: object, appSKey?: Buffer, nwkSKey?: Buffer, fCntMsb?: Buffer): Buffer;
  decryptJoinAccept(packet: object, appKey: Buffer): Buffer;
  generateSessionKeys10(
    appKey: Buffer,
    netId: Buffer,
    joinNonce: Buffer,
    devNonce: Buffer,
  ): { AppSKey: Buffer; NwkSKey: Buffer };
}
export const oracle = createRequire(import.meta.url)('lora-packet') as Oracle;

export const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** lora-packet takes the upper half of the counter little-endian. */
export const upperHalf = (fCnt: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(Math.floor(fCnt / 65_536));
  return bytes;
};

export const KEYS: SessionKeys = {
  nwkSKey: '44024241ed4ce9a68c6a8bc055233fd3',
  appSKey: 'ec925802ae430ca77fd3dd73cb2cc588',
};
export const OTHER_KEYS: SessionKeys = {
  nwkSKey: '0102030405060708090a0b0c0d0e0f10',
  appSKey: '100f0e0d0c0b0a090807060504030201',
};

export const session = (over: Partial<Session> = {}): Session => ({
  device: 'sensor-1',
  devAddr: '49be7df1',
  keys: KEYS,
  nextFCntUp: 0,
  relaxedCounter: false,
  ...over,
});

export interface FrameFields {
  readonly fCnt: number;
  readonly devAddr?: string;
  readonly keys?: SessionKeys;
  readonly payload?: Buffer;
  readonly fPort?: number;
  readonly confirmed?: boolean;
}

/** PHYPayload of a data uplink as a device would send it. */
export function uplinkFrame({ fCnt, devAddr = '49be7df1', keys = KEYS, ...rest }: FrameFields): Buffer {
  const { payload = Buffer.from('0102', 'hex'), fPort = 1, confirmed = false } = rest;
  return oracle
    .fromFields(
      {
        MType: confirmed ? 'Confirmed Data Up' : 'Unconfirmed Data Up',
        DevAddr: hex(devAddr),
        FCnt: fCnt % 65_536,
        FPort: fPort,
        payload,
      },
      hex(keys.appSKey),
      hex(keys.nwkSKey),
      undefined,
      upperHalf(fCnt),
    )
    .getPHYPayload();
}

export const heard = (phyPayload: Uint8Array, over: { snrDb?: number; gatewayEui?: string } = {}): HeardFrame => ({
  phyPayload,
  receivedAt: Date.UTC(2026, 5, 1),
  reception: {
    gatewayEui: 'aa555a0000000001',
    tmst: 1,
    frequencyHz: 868_100_000,
    dataRate: 'SF7BW125',
    rssiDbm: -80,
    snrDb: 5,
    gpsAt: null,
    ...over,
  },
});

/** An uplink store in memory whose commits the test lets through, or refuses. */
export class MemoryUplinkStore implements Pick<UplinkStore, 'acceptUplink'> {
  readonly accepted: StoredUplink[] = [];
  readonly urgencies: Urgency[] = [];
  /** While true, commits wait for `release`. */
  held = false;
  refusing = false;
  /** Counters whose frames the store takes for repetitions. */
  readonly knows = new Set<number>();
  #waiting: (() => void)[] = [];

  async acceptUplink(uplink: Uplink, urgency: Urgency): Promise<StoredUplink | 'duplicate'> {
    this.urgencies.push(urgency);
    if (this.held)
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    if (this.knows.has(uplink.fCnt)) return 'duplicate';
    if (this.refusing) throw new GatewayError('STORE_BACKPRESSURE', 'the queue is full');
    const stored = { ...uplink, id: this.accepted.length + 1 };
    this.accepted.push(stored);
    return stored;
  }

  release(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  /** The counter that a restart would find on disk. */
  nextFCntUp(device: string): number {
    const counters = this.accepted.filter((uplink) => uplink.device === device).map((uplink) => uplink.fCnt + 1);
    return Math.max(0, ...counters);
  }
}
