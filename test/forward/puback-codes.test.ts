import * as fc from 'fast-check';
import { generate } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { PubackCodes } from '../../src/forward/puback-codes.ts';

const puback = (messageId: number, code: number): Buffer =>
  Buffer.from([0x40, 3, messageId >> 8, messageId & 0xff, code]);
const publish = (bytes: number): Buffer =>
  generate({ cmd: 'publish', topic: 't', payload: Buffer.alloc(bytes, 0x40), qos: 0, dup: false, retain: false });
const ALLOWED = new Set([0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]);

describe('the codes of acknowledgements', () => {
  it('are found between other packets, however the bytes are cut, and nothing else is changed', () => {
    const packet = fc.oneof(
      fc.record({ id: fc.integer({ min: 1, max: 65_535 }), code: fc.integer({ min: 0, max: 255 }) }),
      fc.nat({ max: 300 }),
    );
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(packet), cuts, (packets, steps) => {
        const codes = new PubackCodes();
        const before = Buffer.concat(
          packets.map((one) => (typeof one === 'number' ? publish(one) : puback(one.id, one.code))),
        );
        const after = Buffer.from(before);
        for (let at = 0, turn = 0; at < after.length; turn += 1) {
          const step = steps[turn % steps.length]!;
          codes.read(after.subarray(at, at + step));
          at += step;
        }
        const wanted = Buffer.concat(
          packets.map((one) => {
            if (typeof one === 'number') return publish(one);
            return puback(one.id, ALLOWED.has(one.code) ? one.code : 0x80);
          }),
        );
        expect(after).toEqual(wanted);
        const last = new Map<number, number>();
        for (const one of packets) if (typeof one !== 'number' && !ALLOWED.has(one.code)) last.set(one.id, one.code);
        for (const [id, code] of last) expect(codes.take(id)).toBe(code);
        for (const [id] of last) expect(codes.take(id)).toBeUndefined();
      }),
    );
  });

  it('of acknowledgements without a code are left alone', () => {
    const codes = new PubackCodes();
    const bytes = Buffer.from([0x40, 2, 0, 7, 0xd0, 0, 0x40, 3, 0, 8, 0x95]);
    codes.read(bytes);
    expect([...bytes]).toEqual([0x40, 2, 0, 7, 0xd0, 0, 0x40, 3, 0, 8, 0x80]);
    expect(codes.take(7)).toBeUndefined();
    expect(codes.take(8)).toBe(0x95);
  });
});
