import type { Reception } from '../../model/frame.ts';
import type { LoraRejectReason } from './lora-reject.ts';

/** One entry of `rxpk[]` (Semtech packet forwarder, PROTOCOL.TXT 1.4 §4, sx1302_hal PROTOCOL.md 1.6) once read. */
export type ReceivedPacket =
  | { readonly kind: 'heard'; readonly phyPayload: Uint8Array; readonly reception: Reception }
  | { readonly kind: 'rejected'; readonly reason: LoraRejectReason };

type Fields = Readonly<Record<string, unknown>>;

const MAX_PHY_PAYLOAD = 255;
const MAX_DATA_TEXT = 4 * Math.ceil(MAX_PHY_PAYLOAD / 3);
const MAX_DATA_RATE_TEXT = 16;
const MODULATIONS: ReadonlySet<unknown> = new Set(['LORA', 'FSK', 'LR-FHSS', 'LRFHSS']);
/** Standard or URL-safe alphabet, padded or not: PROTOCOL.TXT's own example mixes them. */
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
const MAX_FREQUENCY_MHZ = 3000;
/** LoRaWAN codes channel frequencies in steps of 100 Hz; a concentrator's synthesizer reports 868.099975 for 868.1. */
const CHANNEL_STEP_HZ = 100;
const GPS_EPOCH_MS = Date.UTC(1980, 0, 6);
/** GPS time runs ahead of UTC by this much since 2017-01-01 (IERS Bulletin C). */
const GPS_AHEAD_MS = 18_000;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const numberOrNull = (value: unknown): number | null => (isNumber(value) ? value : null);
const rejected = (reason: LoraRejectReason): ReceivedPacket => ({ kind: 'rejected', reason });

export function readReceivedPacket(entry: unknown, gatewayEui: string): ReceivedPacket {
  if (!isFields(entry)) return rejected('malformed');
  const { stat = 1 } = entry;
  if (stat === -1) return rejected('bad-crc');
  // LoRaWAN uplinks always carry a CRC: one without is another system's.
  if (stat !== 1) return rejected('no-crc');
  const phyPayload = payloadOf(entry);
  if (typeof phyPayload === 'string') return rejected(phyPayload);
  const reception = receptionOf(entry, gatewayEui);
  return reception === null ? rejected('malformed') : { kind: 'heard', phyPayload, reception };
}

function payloadOf({ data, size }: Fields): Uint8Array | LoraRejectReason {
  if (typeof data !== 'string') return 'malformed';
  if (data.length === 0) return 'empty';
  if (data.length > MAX_DATA_TEXT) return 'too-long';
  if (!BASE64.test(data)) return 'malformed';
  const bytes = Buffer.from(data, 'base64');
  return size === undefined || size === bytes.length ? bytes : 'size-mismatch';
}

function receptionOf(entry: Fields, gatewayEui: string): Reception | null {
  const { tmst, freq, modu } = entry;
  const dataRate = dataRateOf(entry['datr']);
  if (!isNumber(tmst) || dataRate === null || !MODULATIONS.has(modu)) return null;
  if (!isNumber(freq) || freq <= 0 || freq > MAX_FREQUENCY_MHZ) return null;
  const antenna = bestAntenna(entry['rsig']) ?? entry;
  return {
    gatewayEui,
    tmst: tmst >>> 0,
    frequencyHz: Math.round((freq * 1e6) / CHANNEL_STEP_HZ) * CHANNEL_STEP_HZ,
    dataRate,
    rssiDbm: numberOrNull(antenna['rssic'] ?? antenna['rssi']),
    snrDb: positiveZero(numberOrNull(antenna['lsnr'])),
    gpsAt: gpsInstant(entry),
  };
}

function dataRateOf(value: unknown): string | null {
  if (isNumber(value)) return String(value);
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_DATA_RATE_TEXT ? value : null;
}

/** Forwarders write `-0.0`; nothing downstream should meet two zeros. */
const positiveZero = (value: number | null): number | null => (value === 0 ? 0 : value);

/** Gateways with several antennas give one entry each in `rsig[]`, and may leave out the top-level values. */
function bestAntenna(rsig: unknown): Fields | null {
  if (!Array.isArray(rsig)) return null;
  let best: Fields | null = null;
  for (const antenna of rsig) if (isFields(antenna) && (best === null || isBetter(antenna, best))) best = antenna;
  return best;
}

const rank = (value: unknown): number => numberOrNull(value) ?? Number.NEGATIVE_INFINITY;

function isBetter(a: Fields, b: Fields): boolean {
  const bySnr = rank(a['lsnr']) - rank(b['lsnr']);
  return Number.isNaN(bySnr) || bySnr === 0 ? rank(a['rssic']) > rank(b['rssic']) : bySnr > 0;
}

/** UTC of reception where the concentrator has GPS: `tmms` counts GPS milliseconds, `time` is ISO 8601 UTC. */
function gpsInstant({ tmms, time }: Fields): number | null {
  if (isNumber(tmms) && tmms > 0) return GPS_EPOCH_MS + Math.round(tmms) - GPS_AHEAD_MS;
  if (typeof time !== 'string' || time.length > 40 || !/^\d{4}-\d\d-\d\dT/.test(time)) return null;
  const at = Date.parse(time);
  return Number.isNaN(at) ? null : at;
}

/** What a forwarder says about itself in `stat`; a field is null where it does not say. */
export interface ConcentratorStat {
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly altitudeM: number | null;
  /** Radio packets received, those with a valid CRC, and those forwarded, since the last `stat`. */
  readonly received: number | null;
  readonly receivedOk: number | null;
  readonly forwarded: number | null;
  /** Share of upstream datagrams that were acknowledged. */
  readonly acknowledgedPercent: number | null;
  readonly downlinks: number | null;
  readonly transmitted: number | null;
  readonly temperatureC: number | null;
}

/** Unknown keys are ignored: vendors add many. */
export const readStat = (stat: Fields): ConcentratorStat => ({
  latitude: numberOrNull(stat['lati']),
  longitude: numberOrNull(stat['long']),
  altitudeM: numberOrNull(stat['alti']),
  received: numberOrNull(stat['rxnb']),
  receivedOk: numberOrNull(stat['rxok']),
  forwarded: numberOrNull(stat['rxfw']),
  acknowledgedPercent: numberOrNull(stat['ackr']),
  downlinks: numberOrNull(stat['dwnb']),
  transmitted: numberOrNull(stat['txnb']),
  temperatureC: numberOrNull(stat['temp']),
});
