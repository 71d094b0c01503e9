import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBlock, encodeBlock, instantOf } from '../../src/store/block-codec.ts';
import { anyEntry } from './any-entry.ts';
import { entry } from './records.ts';

describe('a block of the log', () => {
  it('gives back every field of every record exactly, in order, numbered from its first id', () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { minLength: 1, maxLength: 40 }), fc.nat(), (entries, firstId) => {
        const decoded = decodeBlock(encodeBlock(firstId, entries));
        expect(decoded).toStrictEqual(entries.map((given, index) => ({ id: firstId + index, ...given })));
      }),
      { numRuns: 500 },
    );
  });

  it('states the extreme instants of its records', () => {
    const entries = [entry(5), entry(2), entry(9)];
    const block = encodeBlock(1, entries);
    const instants = entries.map(({ record }) => instantOf(record));
    expect([block.minAt, block.maxAt]).toEqual([Math.min(...instants), Math.max(...instants)]);
  });

  it('is refused when a single bit of it changed, wherever', () => {
    const block = encodeBlock(
      7,
      Array.from({ length: 50 }, (_, index) => entry(index)),
    );
    fc.assert(
      fc.property(fc.nat(block.data.length * 8 - 1), (bit) => {
        const data = Uint8Array.from(block.data);
        data[bit >> 3] = (data[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(decodeBlock({ ...block, data })).toBeUndefined();
      }),
    );
    expect(decodeBlock({ ...block, firstId: 8 })).toBeUndefined();
    expect(decodeBlock({ ...block, count: 49 })).toBeUndefined();
    expect(decodeBlock({ ...block, minAt: 0 })).toBeUndefined();
    expect(decodeBlock({ ...block, maxAt: 2e12 })).toBeUndefined();
  });

  it('takes a few bytes a sample', () => {
    const block = encodeBlock(
      1,
      Array.from({ length: 1000 }, (_, index) => entry(index)),
    );
    expect(block.data.length / 1000).toBeLessThan(8);
  });
});
