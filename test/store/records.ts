import type { Uplink } from '../../src/model/frame.ts';
import type { Aggregate, Destination, NewEntry, Sample } from '../../src/model/record.ts';

/** A sample of a noise meter, one a second. */
export const sample = (index: number, change: Partial<Sample> = {}): Sample => ({
  kind: 'sample',
  place: 'place-mairie',
  channel: '',
  device: 'sonometre-1',
  quantity: 'LAeq',
  unit: 'dB(A)',
  observedAt: 1_780_000_000_000 + index * 1000,
  receivedAt: 1_780_000_000_020 + index * 1000,
  periodMs: 1000,
  intervalMs: 1000,
  value: 50 + (index % 100) / 10,
  quality: 'good',
  flags: [],
  revision: 0,
  ...change,
});

export const entry = (index: number, to: readonly Destination[] = ['stream:ville', 'rule:n1']): NewEntry => ({
  record: sample(index),
  to,
});

export const aggregate = (start: number, change: Partial<Aggregate> = {}): Aggregate => ({
  kind: 'aggregate',
  place: 'place-mairie',
  channel: '',
  domain: 'noise',
  quantity: 'LAeq',
  periodMs: 60_000,
  part: '',
  start,
  end: start + 60_000,
  revision: 0,
  count: 60,
  coverage: 1,
  valid: true,
  flags: [],
  values: { LAeq: 62.4, LA50: null },
  at: { LAeqMax: start + 31_000 },
  ...change,
});

export const uplink = (fCnt: number, change: Partial<Uplink> = {}): Uplink => ({
  device: 'compteur-1',
  devAddr: '26011bda',
  fCnt,
  confirmed: false,
  phyPayload: Uint8Array.of(0x40, 1, 2, 3, fCnt & 255),
  receivedAt: 1_780_000_000_000 + fCnt * 60_000,
  reception: {
    gatewayEui: 'aa555a0000000101',
    tmst: 4_294_967_295,
    frequencyHz: 868_100_000,
    dataRate: 'SF7BW125',
    rssiDbm: -57,
    snrDb: 9.5,
    gpsAt: null,
  },
  ...change,
});
