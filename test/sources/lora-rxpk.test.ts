import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nestsDeeperThan } from '../../src/sources/lora/json-depth.ts';
import { readPushData } from '../../src/sources/lora/push-data.ts';
import { readReceivedPacket, type ReceivedPacket } from '../../src/sources/lora/rxpk.ts';

const EUI = 'aa555a0000000001';
const PACKET = {
  tmst: 4_295_000_000,
  freq: 868.099975,
  stat: 1,
  modu: 'LORA',
  datr: 'SF7BW125',
  rssi: -70,
  lsnr: -0,
  size: 4,
  data: '+/8BAg==',
};
const read = (over: object = {}): ReceivedPacket => readReceivedPacket({ ...PACKET, ...over }, EUI);
const reasonOf = (over: object): unknown => {
  const packet = read(over);
  return packet.kind === 'rejected' ? packet.reason : packet.kind;
};

describe('a received packet', () => {
  it('gives the frame and how it was heard', () => {
    expect(read()).toEqual({
      kind: 'heard',
      phyPayload: Buffer.of(0xfb, 0xff, 1, 2),
      reception: {
        gatewayEui: EUI,
        tmst: 4_295_000_000 - 2 ** 32,
        frequencyHz: 868_100_000,
        dataRate: 'SF7BW125',
        rssiDbm: -70,
        snrDb: 0,
        gpsAt: null,
      },
    });
  });

  it.each(['+/8BAg', '-_8BAg', '-_8BAg==', '-/8BAg'])('takes base64 written as %s', (data) => {
    expect(read({ data })).toMatchObject({ phyPayload: Buffer.of(0xfb, 0xff, 1, 2) });
  });

  it('takes FSK, whose data rate is a number and which has no SNR', () => {
    expect(read({ modu: 'FSK', datr: 50_000, lsnr: undefined })).toMatchObject({
      reception: { dataRate: '50000', snrDb: null },
    });
  });

  it.each([
    [
      [
        { lsnr: 3, rssic: -90 },
        { lsnr: 7, rssic: -99 },
      ],
      7,
      -99,
    ],
    [
      [
        { lsnr: 14, rssic: -95 },
        { lsnr: 14, rssic: -93 },
      ],
      14,
      -93,
    ],
    [[null, 'x', { rssic: -101 }], null, -101],
  ])('takes the best antenna of %j', (rsig, snrDb, rssiDbm) => {
    expect(read({ rsig, rssi: undefined, lsnr: undefined })).toMatchObject({ reception: { snrDb, rssiDbm } });
  });

  it('takes GPS time from tmms, else from time', () => {
    expect(read({ tmms: 1_242_996_179_117 })).toMatchObject({
      reception: { gpsAt: Date.UTC(2019, 4, 27, 12, 42, 41, 117) },
    });
    expect(read({ time: '2013-03-31T16:21:17.528002Z' })).toMatchObject({
      reception: { gpsAt: Date.UTC(2013, 2, 31, 16, 21, 17, 528) },
    });
    expect(read({ time: 'yesterday' })).toMatchObject({ reception: { gpsAt: null } });
  });

  it.each([
    [{ stat: -1 }, 'bad-crc'],
    [{ stat: 0 }, 'no-crc'],
    [{ data: '' }, 'empty'],
    [{ size: 5 }, 'size-mismatch'],
    [{ data: 'not base64!' }, 'malformed'],
    [{ data: 7 }, 'malformed'],
    [{ data: 'A'.repeat(400) }, 'too-long'],
    [{ freq: 'x' }, 'malformed'],
    [{ freq: -1 }, 'malformed'],
    [{ tmst: '1' }, 'malformed'],
    [{ modu: 'CW' }, 'malformed'],
    [{ datr: null }, 'malformed'],
  ])('%j is refused as %s', (over, reason) => {
    expect(reasonOf(over)).toBe(reason);
  });

  it('never throws on any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (entry, rsig) => {
        expect(['heard', 'rejected']).toContain(readReceivedPacket(entry, EUI).kind);
        expect(read({ rsig }).kind).toBe('heard');
        expect(readPushData(Buffer.from(JSON.stringify({ rxpk: entry, stat: rsig })), EUI)).toBeDefined();
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a PUSH_DATA body', () => {
  const push = (json: unknown): unknown => readPushData(Buffer.from(JSON.stringify(json)), EUI);

  it('takes at most 64 packets and says how many are beyond', () => {
    expect(push({ rxpk: Array.from({ length: 70 }, () => PACKET) })).toMatchObject({
      surplus: 6,
      packets: { length: 64 },
    });
  });

  it('reads a status report and ignores what it does not know', () => {
    expect(push({ stat: { rxnb: 3, rxok: 2, temp: 30.5, lmok: 3, lati: 'x' } })).toMatchObject({
      packets: [],
      stat: { received: 3, receivedOk: 2, temperatureC: 30.5, latitude: null },
    });
    expect(push({ status: { rxnb: 3 } })).toEqual({ packets: [], stat: null, surplus: 0 });
  });

  it.each(['', '{', '[]', '"x"', '{"rxpk":{}}', '\u0000\u0001'])('that reads %j is malformed', (text) => {
    expect(readPushData(Buffer.from(text), EUI)).toBe('malformed');
  });

  it('that nests too deep is refused before it is parsed', () => {
    expect(readPushData(Buffer.from(`{"rxpk":${'['.repeat(4000)}`), EUI)).toBe('too-deep');
  });
});

describe('nestsDeeperThan', () => {
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

  it('agrees with the parsed value, whatever its strings hold', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat({ max: 8 }), (value, limit) => {
        expect(nestsDeeperThan(Buffer.from(JSON.stringify(value)), limit)).toBe(depthOf(value) > limit);
      }),
    );
  });
});
