import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  aesKey,
  decryptUplinkPayload,
  isAesKey,
  isUplinkMicValid,
  micKey,
} from '../../src/sources/lora/lorawan-crypto.ts';
import { parsePhyPayload } from '../../src/sources/lora/phy-payload.ts';
import { decryptUplink } from '../../src/sources/lora/uplink-gate.ts';
import { heard, hex, KEYS, oracle, uplinkFrame, upperHalf } from './lora-frames.ts';

const reasonOf = (text: string): unknown => {
  const parsed = parsePhyPayload(hex(text));
  return parsed.kind === 'rejected' ? parsed.reason : parsed.kind;
};

describe('parsePhyPayload', () => {
  it('reads a data uplink with options and a port', () => {
    expect(parsePhyPayload(hex('80040302010300000673070ae264d4f7e117d2c0'))).toMatchObject({
      kind: 'data-up',
      confirmed: true,
      devAddr: '01020304',
      fCnt16: 0,
      fPort: 10,
      fOpts: hex('067307'),
    });
  });

  it('reads a join-request', () => {
    expect(parsePhyPayload(hex('00010000d07ed5b3700100cc00bb00aa0001002794eb74'))).toEqual({
      kind: 'join-request',
      devEui: '00aa00bb00cc0001',
      joinEui: '70b3d57ed0000001',
      devNonce: '0001',
    });
  });

  it('tells a frame without a port from one with port 0', () => {
    expect(parsePhyPayload(hex('40f17dbe4900030011223344'))).toMatchObject({ fPort: null });
    expect(parsePhyPayload(hex('4006dc00fcc07400000244925050'))).toMatchObject({ fPort: 0 });
  });

  it.each([
    ['', 'too-short'],
    ['800403020100ff01020304', 'too-short'],
    ['4004030201850100d6c3b582', 'bad-fopts'],
    ['400403020101010002 00 11223344'.replaceAll(' ', ''), 'bad-fopts'],
    ['41f17dbe4900020001954378762b11ff0d', 'bad-major'],
    ['005f5f5f5f5f5f5f5f5f5f5f5f5f5f5f', 'bad-length'],
    ['60f17dbe4920020001f9d65d27', 'not-uplink'],
    ['e005060708090a01020304', 'proprietary'],
    ['40'.repeat(256), 'too-long'],
  ])('refuses %s as %s', (text, reason) => {
    expect(reasonOf(text)).toBe(reason);
  });

  it('answers every sequence of bytes and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(['data-up', 'join-request', 'rejected']).toContain(parsePhyPayload(bytes).kind);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('MIC and payload encryption', () => {
  const frames = fc.record({
    fCnt: fc.nat({ max: 2 ** 32 - 1 }),
    payload: fc.uint8Array({ maxLength: 200, minLength: 1 }).map((bytes) => Buffer.from(bytes)),
    fPort: fc.integer({ min: 1, max: 223 }),
    confirmed: fc.boolean(),
  });

  it('agrees with lora-packet on every counter, length and port', () => {
    fc.assert(
      fc.property(frames, (fields) => {
        const phyPayload = uplinkFrame(fields);
        expect(
          oracle.verifyMIC(oracle.fromWire(phyPayload), hex(KEYS.nwkSKey), undefined, upperHalf(fields.fCnt)),
        ).toBe(true);
        expect(isUplinkMicValid(phyPayload, fields.fCnt, micKey(KEYS.nwkSKey))).toBe(true);
        const uplink = { ...heard(phyPayload), id: 1, device: 'd', devAddr: '', confirmed: false, fCnt: fields.fCnt };
        const { fPort, payload } = decryptUplink(uplink, KEYS);
        expect(fPort).toBe(fields.fPort);
        expect(Buffer.from(payload)).toEqual(fields.payload);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses a frame in which one bit differs', () => {
    const phyPayload = uplinkFrame({ fCnt: 7 });
    for (let bit = 0; bit < phyPayload.length * 8; bit += 1) {
      const damaged = Buffer.from(phyPayload);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(isUplinkMicValid(damaged, 7, micKey(KEYS.nwkSKey)), `bit ${bit}`).toBe(false);
    }
  });

  it('refuses the right frame under another upper half of the counter', () => {
    expect(isUplinkMicValid(uplinkFrame({ fCnt: 65_543 }), 7, micKey(KEYS.nwkSKey))).toBe(false);
  });

  it('decrypts an empty payload to nothing', () => {
    expect(decryptUplinkPayload(uplinkFrame({ fCnt: 1 }), 1, aesKey(KEYS.appSKey), new Uint8Array(0))).toHaveLength(0);
  });

  it('takes 32 hex digits as a key and nothing else', () => {
    expect(isAesKey(KEYS.nwkSKey)).toBe(true);
    for (const text of ['', 'zz', KEYS.nwkSKey.slice(1), `${KEYS.nwkSKey}00`]) expect(isAesKey(text)).toBe(false);
  });
});
