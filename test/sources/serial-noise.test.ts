import { describe, expect, it } from 'vitest';
import { sdi12Crc } from '../../src/decode/lines/line-checksum.ts';
import { createLineDecoder } from '../../src/decode/lines/line-decoder.ts';
import { channel, sourceSettings } from '../decode/lines-bench.ts';
import { Bench, portSettings, PtyPair, until } from './serial-bench.ts';

const LINES = 4000;
/** Below the buffer of a pty, so that writing never blocks the reader in the same process. */
const PIECE_BYTES = 1024;
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** A linear congruential generator: enough for noise, and the same for a seed. */
function randomFrom(start: number): (below: number) => number {
  let state = start >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function goodLine(index: number): string {
  const body = `0r1,Sm=${(index % 700) / 10}M,Dm=${String(index % 360).padStart(3, '0')}D`.replace(/=(\d+)M/, '=$1.0M');
  return `${body + sdi12Crc(body)}\r\n`;
}

/** A line of rubbish: NUL and other bytes, a torn good line, or one that is far too long. */
function noise(random: (below: number) => number): Uint8Array {
  const kind = random(20);
  const length = kind === 0 ? 1500 + random(2000) : random(80);
  const rubbish = Uint8Array.from({ length }, () => (kind < 8 ? random(256) : 0x80 + random(128)));
  const torn = Buffer.from(goodLine(random(9999))).subarray(0, random(20));
  const line = kind >= 15 ? torn : rubbish;
  return Buffer.concat([line.filter((byte) => byte !== 0x0a), Buffer.from('\r\n')]);
}

describe(`noise on a serial line (SEED=${seed})`, () => {
  it('costs no good line and brings no value that was not sent', async () => {
    const random = randomFrom(seed);
    const pair = await new PtyPair().plug();
    const port = await new Bench(portSettings(pair.gateway), 1).open();
    const parts: Uint8Array[] = [];
    for (let index = 0; index < LINES; index += 1) parts.push(noise(random), Buffer.from(goodLine(index)));
    const stream = Buffer.concat(parts);
    for (let at = 0; at < stream.length; at += PIECE_BYTES) {
      const piece = stream.subarray(at, at + PIECE_BYTES);
      pair.write(piece);
      const sent = at + piece.length;
      await until('it is read', () => port.metrics.total('cigale_serial_bytes_total') === sent);
    }
    await port.source.stop();
    await pair.remove();

    const channels = [channel('Sm', 'windSpeed'), channel('Dm', 'windDirection')];
    const decoder = createLineDecoder(sourceSettings('keyvalue', channels, { checksum: 'required' }));
    const decoded = port.frames.flatMap((frame) => {
      const outcome = decoder.decode(frame);
      return outcome === 'other-address' ? [] : [outcome.measurements.map(({ value }) => value)];
    });
    const values = decoded.filter((pair) => pair.length > 0);
    expect(values).toEqual(Array.from({ length: LINES }, (_, index) => [(index % 700) / 10, index % 360]));
    expect(port.rejected('too-long')).toBeGreaterThan(0);
    const counted = port.frames.length + port.rejected('too-long') + port.rejected('empty');
    expect(counted).toBe(stream.filter((byte, at) => byte === 0x0a && stream[at - 1] === 0x0d).length);
  }, 60_000);
});
