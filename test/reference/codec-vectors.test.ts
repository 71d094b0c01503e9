import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { testVectors, type CodecVector } from '../../src/decode/codec/test-codec.ts';
import { referenceFile } from '../reference-data.ts';

const file = referenceFile('lorawan', 'payload-vectors.json');
interface Vectors {
  readonly codecs: readonly { readonly codec: string; readonly examples: readonly CodecVector[] }[];
}
const vectors = file === null ? [] : (JSON.parse(readFileSync(file, 'utf8')) as Vectors).codecs;

/** Codecs of our own for payloads whose bytes and values the vendors publish. */
const SCRIPTS: Readonly<Record<string, string>> = {
  'ttn/example/windsensor-codec': `
    function decodeUplink({ bytes, fPort }) {
      if (fPort !== 1) return { errors: ['unknown FPort'] };
      return { data: { direction: 'NESW'[bytes[0]], speed: bytes[1] } };
    }`,
  'ttn/decentlab/dl-sht35-codec': `
    const word = (bytes, at) => (bytes[at] << 8) | bytes[at + 1];
    const field = (displayName, unit, value) => ({ displayName, unit, value });
    const decodeUplink = ({ bytes }) => {
      const data = { protocol_version: bytes[0], device_id: word(bytes, 1) };
      const flags = word(bytes, 3);
      let at = 5;
      if (flags & 1) {
        data.air_temperature = field('Air temperature', '°C', 175 * word(bytes, at) / 65535 - 45);
        data.air_humidity = field('Air humidity', '%', 100 * word(bytes, at + 2) / 65535);
        at += 4;
      }
      if (flags & 2) data.battery_voltage = field('Battery voltage', 'V', word(bytes, at) / 1000);
      return { data };
    };`,
  'ttn/elsys/ers-sound-codec': `
    const FIELDS = {
      1: (b, at) => [2, { temperature: ((b[at] << 24 >> 16) | b[at + 1]) / 10 }],
      2: (b, at) => [1, { humidity: b[at] }],
      4: (b, at) => [2, { light: (b[at] << 8) | b[at + 1] }],
      5: (b, at) => [1, { motion: b[at] }],
      21: (b, at) => [2, { soundPeak: b[at], soundAvg: b[at + 1] }],
    };
    function decodeUplink({ bytes }) {
      const data = {};
      for (let at = 0; at < bytes.length; ) {
        const [length, values] = FIELDS[bytes[at]](bytes, at + 1);
        Object.assign(data, values);
        at += 1 + length;
      }
      return { data };
    }`,
};

describe.skipIf(file === null)('payloads whose values the vendors publish', () => {
  it.each(Object.entries(SCRIPTS))('%s decodes to them', async (name, script) => {
    const examples = vectors.find(({ codec }) => codec === name)!.examples;
    for (const { description, passed, result } of await testVectors(script, examples))
      expect({ description, passed, result }).toMatchObject({ passed: true });
  });
});
