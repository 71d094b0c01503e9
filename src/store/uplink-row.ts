import type { Reception, StoredUplink } from '../model/frame.ts';
import type { Row, Statement } from './database.ts';

/** Replaces: a transaction that is run again brings the same uplink under the same id. */
export const insertUplink = (uplink: StoredUplink): Statement => ({
  sql: `INSERT OR REPLACE INTO uplink
    (id, result, device, dev_addr, f_cnt, confirmed, received_at, reception, phy_payload) VALUES (?, NULL, ?, ?, ?, ?, ?, ?, ?)`,
  params: [
    uplink.id,
    uplink.device,
    uplink.devAddr,
    uplink.fCnt,
    uplink.confirmed ? 1 : 0,
    uplink.receivedAt,
    JSON.stringify(receptionRow(uplink.reception)),
    uplink.phyPayload,
  ],
});

export const upsertCounter = (device: string, devAddr: string, nextFCntUp: number): Statement => ({
  sql: `INSERT INTO session_counter (device, dev_addr, next_fcnt_up) VALUES (?, ?, ?)
    ON CONFLICT (device) DO UPDATE SET dev_addr = excluded.dev_addr, next_fcnt_up = excluded.next_fcnt_up`,
  params: [device, devAddr, nextFCntUp],
});

export const uplinkOf = (row: Row): StoredUplink => ({
  id: Number(row['id']),
  device: String(row['device']),
  devAddr: String(row['dev_addr']),
  fCnt: Number(row['f_cnt']),
  confirmed: row['confirmed'] === 1,
  receivedAt: Number(row['received_at']),
  reception: receptionOf(JSON.parse(String(row['reception'])) as ReceptionRow),
  phyPayload: row['phy_payload'] instanceof Uint8Array ? Uint8Array.from(row['phy_payload']) : new Uint8Array(0),
});

/** Gateway EUI, tmst, frequency, data rate, RSSI, SNR, GPS time: half the bytes of named fields, in every uplink. */
type ReceptionRow = readonly [string, number, number, string, number | null, number | null, number | null];

const receptionRow = (reception: Reception): ReceptionRow => [
  reception.gatewayEui,
  reception.tmst,
  reception.frequencyHz,
  reception.dataRate,
  reception.rssiDbm,
  reception.snrDb,
  reception.gpsAt,
];

const receptionOf = ([gatewayEui, tmst, frequencyHz, dataRate, rssiDbm, snrDb, gpsAt]: ReceptionRow): Reception => ({
  gatewayEui,
  tmst,
  frequencyHz,
  dataRate,
  rssiDbm,
  snrDb,
  gpsAt,
});
