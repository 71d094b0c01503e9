import { nestsDeeperThan } from './json-depth.ts';
import type { LoraRejectReason } from './lora-reject.ts';
import { isFields, readReceivedPacket, readStat, type ConcentratorStat, type ReceivedPacket } from './rxpk.ts';

const MAX_DEPTH = 16;
const MAX_PACKETS = 64;

/** The JSON body of a PUSH_DATA datagram once read. */
export interface PushData {
  readonly packets: readonly ReceivedPacket[];
  readonly stat: ConcentratorStat | null;
  /** Entries of `rxpk[]` beyond the bound. */
  readonly surplus: number;
}

/** Never throws: a body that cannot be read gives the reason. */
export function readPushData(body: Uint8Array, gatewayEui: string): PushData | LoraRejectReason {
  if (nestsDeeperThan(body, MAX_DEPTH)) return 'too-deep';
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch {
    return 'malformed';
  }
  if (!isFields(json)) return 'malformed';
  const { rxpk = [], stat } = json;
  if (!Array.isArray(rxpk)) return 'malformed';
  return {
    packets: rxpk.slice(0, MAX_PACKETS).map((entry) => readReceivedPacket(entry, gatewayEui)),
    stat: isFields(stat) ? readStat(stat) : null,
    surplus: Math.max(0, rxpk.length - MAX_PACKETS),
  };
}
