import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteGuard } from '../../src/sources/serial/byte-guard.ts';
import { LineFramer } from '../../src/sources/serial/line-framer.ts';
import { settle } from '../fakes/manual-clock.ts';

const MAX_FRAME_BYTES = 20;

function guard(delimiter: string, maxFrameBytes = MAX_FRAME_BYTES) {
  const counts = { tooLong: 0, discarded: 0, empty: 0 };
  const events = {
    onTooLong: () => void (counts.tooLong += 1),
    onDiscarded: (bytes: number) => void (counts.discarded += bytes),
    onEmpty: () => void (counts.empty += 1),
  };
  return { counts, guard: new ByteGuard(Buffer.from(delimiter), maxFrameBytes, events) };
}

/** Cuts bytes at the given places. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

describe('the guard before the line parser', () => {
  it('passes exactly the lines within the bound, however the bytes are cut', () => {
    const piece = fc.string({ unit: fc.constantFrom('a', 'b', '\r', '\n', 'é'), maxLength: 30 });
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        sizes,
        fc.constantFrom('\n', '\r\n', ';;'),
        (parts, cuts, mark) => {
          const stream = Buffer.from(parts.join(mark) + mark);
          const lines = stream.toString('latin1').split(mark).slice(0, -1);
          const isEmpty = (line: string): boolean => line === '' || line === '\r';
          const good = lines.filter((line) => !isEmpty(line) && line.length <= MAX_FRAME_BYTES);
          const { guard: tested, counts } = guard(mark);
          const passed = cut(stream, cuts).flatMap((chunk) => tested.push(chunk));
          expect(Buffer.concat(passed).toString('latin1')).toBe(good.map((line) => line + mark).join(''));
          expect(counts.tooLong).toBe(lines.filter((line) => line.length > MAX_FRAME_BYTES).length);
          expect(counts.empty).toBe(lines.filter((line) => isEmpty(line)).length);
          expect(tested.reset()).toBeNull();
        },
      ),
      { numRuns: 500 },
    );
  });

  it('counts every byte that it throws away', () => {
    const { guard: tested, counts } = guard('\r\n');
    for (const chunk of ['x'.repeat(50), 'y\r', 'zz\r', '\nok\r\n', 'w'.repeat(21), '\r\n'])
      tested.push(Buffer.from(chunk));
    expect(counts).toEqual({ tooLong: 2, discarded: 50 + 2 + 3 + 1 + 23, empty: 0 });
  });

  it('holds 16 MiB without a newline in bounded memory, counted once, and goes on', () => {
    const { guard: tested, counts } = guard('\r\n', 1024);
    const chunk = Buffer.alloc(4096, 0x55);
    const before = process.memoryUsage().arrayBuffers;
    const cpu = process.cpuUsage();
    for (let count = 0; count < 4096; count += 1) expect(tested.push(chunk)).toEqual([]);
    const { user, system } = process.cpuUsage(cpu);
    const grownBytes = process.memoryUsage().arrayBuffers - before;
    process.stdout.write(`16 MiB without a newline: ${(user + system) / 1000} ms CPU, ${grownBytes} bytes grown\n`);
    expect(counts).toEqual({ tooLong: 1, discarded: 16 * 1024 * 1024, empty: 0 });
    expect(Buffer.concat(tested.push(Buffer.from('\r\ngood\r\n'))).toString()).toBe('good\r\n');
    expect(grownBytes).toBeLessThan(4 * 1024 * 1024);
  });
});

describe('the line framer', () => {
  it('finds every good line between noise of NUL bytes, invalid UTF-8 and over-long rubbish', async () => {
    const noise = fc.uint8Array({ maxLength: 60 }).map((bytes) => bytes.filter((byte) => byte !== 0x0a));
    const good = fc.integer({ min: 0, max: 1e9 }).map((number) => `good ${number}`);
    const sizes = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(noise, good), { minLength: 1, maxLength: 20 }), sizes, async (pairs, cuts) => {
        const found: string[] = [];
        const framer = new LineFramer('\n', 32, {
          onFrames: (frames) => found.push(...frames.map(({ bytes }) => Buffer.from(bytes).toString('latin1'))),
          onRejected: () => undefined,
          onEmpty: () => undefined,
          onDiscarded: () => undefined,
        });
        await settle();
        const stream = Buffer.concat(pairs.flatMap(([rubbish, line]) => [rubbish, Buffer.from(`\n${line}\r\n`)]));
        for (const chunk of cut(stream, cuts)) framer.push(chunk, 1);
        await settle();
        expect(found.filter((line) => line.startsWith('good '))).toEqual(pairs.map(([, line]) => line));
      }),
      { numRuns: 200 },
    );
  });

  it('keeps bytes as they are and says when the half-line of a lost connection is thrown away', async () => {
    const frames: number[][] = [];
    const rejected: [string, string][] = [];
    const framer = new LineFramer('\r\n', 32, {
      onFrames: (batch) => frames.push(...batch.map(({ bytes }) => [...bytes])),
      onRejected: ({ reason, excerpt }) => rejected.push([reason, excerpt]),
      onEmpty: () => undefined,
      onDiscarded: () => undefined,
    });
    framer.push(Buffer.from([0xc3, 0x28, 0x00, 0xff, 0x0d, 0x0a, 0x31, 0x07]), 5);
    framer.end(6);
    framer.end(7);
    await settle();
    await settle();
    expect(frames).toEqual([[0xc3, 0x28, 0x00, 0xff]]);
    expect(rejected).toEqual([['stale', '1\\x07']]);
  });
});
