import { createRequire } from 'node:module';
import type { LoraRejectReason } from './lora-reject.ts';

/** A data uplink's fields, LoRaWAN 1.0.4 §4.1–4.3; its MIC and counter are not checked yet. */
export interface DataUp {
  readonly kind: 'data-up';
  readonly confirmed: boolean;
  /** 8 lower-case hex digits, most significant first. */
  readonly devAddr: string;
  /** The 16 bits that go over the air. */
  readonly fCnt16: number;
  readonly adr: boolean;
  readonly adrAckReq: boolean;
  readonly ack: boolean;
  readonly fOpts: Uint8Array;
  /** null: the frame carries no port and no payload. */
  readonly fPort: number | null;
  /** Still encrypted. */
  readonly frmPayload: Uint8Array;
}

/** LoRaWAN 1.0.4 §6.2.5; identifiers as hex, most significant first. */
export interface JoinRequest {
  readonly kind: 'join-request';
  readonly devEui: string;
  readonly joinEui: string;
  readonly devNonce: string;
}

interface RejectedFrame {
  readonly kind: 'rejected';
  readonly reason: LoraRejectReason;
}

export type PhyPayload = DataUp | JoinRequest | RejectedFrame;

/** The part of lora-packet that is used; its own types do not fit an ES module (the package is CommonJS). */
interface LoraPacket {
  readonly DevAddr?: Buffer;
  readonly DevEUI?: Buffer;
  readonly JoinEUI?: Buffer;
  readonly DevNonce?: Buffer;
  readonly FOpts?: Buffer;
  readonly FRMPayload?: Buffer | null;
  isConfirmed(): boolean;
  getFPort(): number | null;
  getFCnt(): number | null;
  getFCtrlADR(): boolean | null;
  getFCtrlADRACKReq(): boolean | null;
  getFCtrlACK(): boolean | null;
}
interface LoraPacketLibrary {
  fromWire(bytes: Buffer): LoraPacket;
}

const require = createRequire(import.meta.url);
let loaded: LoraPacketLibrary | undefined;

/** Loaded with the first frame: a gateway without a concentrator does not pay for it. */
function loraPacket(): LoraPacketLibrary {
  loaded ??= require('lora-packet') as LoraPacketLibrary;
  return loaded;
}

/** MHDR 1 + DevAddr 4 + FCtrl 1 + FCnt 2 + MIC 4 */
const SHORTEST_DATA_FRAME = 12;
const JOIN_REQUEST_LENGTH = 23;
const LONGEST_FRAME = 255;
const HEADER_LENGTH = 8;
const MIC_LENGTH = 4;
const EMPTY = new Uint8Array(0);

const MTYPE_JOIN_REQUEST = 0;
const MTYPE_UNCONFIRMED_UP = 2;
const MTYPE_CONFIRMED_UP = 4;
const MTYPE_PROPRIETARY = 7;

const rejected = (reason: LoraRejectReason): RejectedFrame => ({ kind: 'rejected', reason });
const hex = (bytes: Buffer | undefined): string => (bytes ?? Buffer.alloc(0)).toString('hex');

/**
 * Reads a PHYPayload that a device may have sent; never throws. lora-packet takes frames that are too short, of another
 * Major version or whose FOpts overlap the MIC, so those are refused before it sees them.
 */
export function parsePhyPayload(bytes: Uint8Array): PhyPayload {
  const reason = refusal(bytes);
  if (reason !== null) return rejected(reason);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const packet = loraPacket().fromWire(buffer);
    return messageType(bytes) === MTYPE_JOIN_REQUEST ? joinRequest(packet) : dataUp(packet);
  } catch {
    return rejected('malformed');
  }
}

const messageType = (bytes: Uint8Array): number => (bytes[0] ?? 0) >> 5;

function refusal(bytes: Uint8Array): LoraRejectReason | null {
  if (bytes.length < SHORTEST_DATA_FRAME) return messageType(bytes) === MTYPE_PROPRIETARY ? 'proprietary' : 'too-short';
  if (bytes.length > LONGEST_FRAME) return 'too-long';
  if (((bytes[0] ?? 0) & 0b11) !== 0) return 'bad-major';
  switch (messageType(bytes)) {
    case MTYPE_JOIN_REQUEST:
      return bytes.length === JOIN_REQUEST_LENGTH ? null : 'bad-length';
    case MTYPE_UNCONFIRMED_UP:
    case MTYPE_CONFIRMED_UP:
      return dataRefusal(bytes);
    case MTYPE_PROPRIETARY:
      return 'proprietary';
    default:
      return 'not-uplink';
  }
}

function dataRefusal(bytes: Uint8Array): LoraRejectReason | null {
  const optionsLength = (bytes[5] ?? 0) & 0x0f;
  const portAt = HEADER_LENGTH + optionsLength;
  const micAt = bytes.length - MIC_LENGTH;
  if (portAt > micAt) return 'bad-fopts';
  // §4.3.1.6: MAC commands travel in FOpts or on port 0, never in both.
  if (optionsLength > 0 && portAt < micAt && bytes[portAt] === 0) return 'bad-fopts';
  return null;
}

const joinRequest = (packet: LoraPacket): JoinRequest => ({
  kind: 'join-request',
  devEui: hex(packet.DevEUI),
  joinEui: hex(packet.JoinEUI),
  devNonce: hex(packet.DevNonce),
});

const dataUp = (packet: LoraPacket): DataUp => ({
  kind: 'data-up',
  confirmed: packet.isConfirmed(),
  devAddr: hex(packet.DevAddr),
  fCnt16: packet.getFCnt() ?? 0,
  adr: packet.getFCtrlADR() ?? false,
  adrAckReq: packet.getFCtrlADRACKReq() ?? false,
  ack: packet.getFCtrlACK() ?? false,
  fOpts: packet.FOpts ?? EMPTY,
  fPort: packet.getFPort(),
  frmPayload: packet.FRMPayload ?? EMPTY,
});
