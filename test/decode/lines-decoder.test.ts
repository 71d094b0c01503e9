import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLineDecoder } from '../../src/decode/lines/line-decoder.ts';
import type { LineFormat } from '../../src/model/plan.ts';
import { hasCode } from '../../src/runtime/errors.ts';
import { channel, lines, RECEIVED_AT, sourceSettings } from './lines-bench.ts';

describe('a measurement of a line', () => {
  it('carries place, device, quantity, its unit, times and spacing', () => {
    const level = channel('0', 'LAeq', { channel: 'north', averagingMs: 1000 });
    const decoder = createLineDecoder(sourceSettings('csv', [level]));
    const outcome = decoder.decode({ bytes: Buffer.from('61.2'), receivedAt: RECEIVED_AT });
    expect(outcome).toEqual({
      rejection: null,
      measurements: [
        {
          place: 'place-1',
          channel: 'north',
          device: 'device-1',
          quantity: 'LAeq',
          unit: 'dB(A)',
          observedAt: RECEIVED_AT,
          receivedAt: RECEIVED_AT,
          periodMs: 1000,
          intervalMs: 1000,
          value: 61.2,
          quality: 'good',
          flags: [],
        },
      ],
    });
  });

  it('is expected as often as the device is polled, where the value is instantaneous', () => {
    const poll = { command: '?', everyMs: 5000 };
    const decoder = createLineDecoder(sourceSettings('csv', [channel('0', 'airTemperature')], { poll }));
    const outcome = decoder.decode({ bytes: Buffer.from('20'), receivedAt: RECEIVED_AT });
    expect(outcome).toMatchObject({ measurements: [{ periodMs: null, intervalMs: 5000 }] });
  });

  it('is null with a flag where the line marks it as missing or invalid, and never 0', () => {
    const read = lines('csv', [channel('0', 'airTemperature')]);
    for (const mark of ['', ' ', '-', '----', '--.-', '///', 'n/a', 'null'])
      expect(read(mark)).toEqual([[null, 'missing']]);
    for (const mark of ['#', '***', 'NAN', 'nan', '-INF', 'ERR']) expect(read(mark)).toEqual([[null, 'invalid']]);
    const decoder = createLineDecoder(sourceSettings('csv', [channel('0', 'airTemperature')]));
    const outcome = decoder.decode({ bytes: Buffer.from('----'), receivedAt: RECEIVED_AT });
    expect(outcome).toMatchObject({ measurements: [{ value: null, quality: 'bad' }] });
  });

  it('takes whole decimal numbers only', () => {
    const read = lines('csv', [channel('0', 'number')]);
    for (const [text, value] of [
      ['1', 1],
      ['+024.70', 24.7],
      ['-.5', -0.5],
      ['3.', 3],
      ['1e3', 1000],
      [' 7 ', 7],
    ] as const)
      expect(read(text)).toEqual([value]);
    for (const text of ['0x1F', '1_000', '1.2.3', '12 3', '--5', '1e', '0b1', '1e999', 'abc', '5/'])
      expect(read(text)).toBe('bad-value');
  });

  it('takes a decimal comma where the comma does not separate', () => {
    expect(lines('csv', [channel('1', 'airTemperature')], { separator: ';' })('a;23,4')).toEqual([23.4]);
    expect(lines('keyvalue', [channel('T', 'airTemperature')], { separator: ';' })('T=-3,5;H=4')).toEqual([-3.5]);
    expect(lines('csv', [channel('0', 'airTemperature')], { separator: ';' })('1,2,3')).toBe('bad-value');
  });

  it('is scaled first and then converted to the unit of its quantity', () => {
    expect(lines('csv', [channel('0', 'airTemperature', { unit: '°F' })])('68')).toEqual([[20, 'unit-converted']]);
    expect(lines('csv', [channel('0', 'pressure', { unit: 'Pa' })])('101480')).toEqual([[1014.8, 'unit-converted']]);
    expect(lines('csv', [channel('0', 'pressure', { unit: 'mbar' })])('1014')).toEqual([1014]);
    expect(lines('csv', [channel('0', 'airTemperature', { scale: 0.1, offset: -40 })])('623')).toEqual([22.3]);
    expect(lines('csv', [channel('0', 'windSpeed', { unit: 'km/h', scale: 0.1 })])('360')).toEqual([
      [10, 'unit-converted'],
    ]);
  });

  it('follows the unit in the line, and refuses one of another kind', () => {
    const read = lines('csv', [channel('0', 'airTemperature', { unit: '°C' })]);
    expect(read('68 °F')).toEqual([[20, 'unit-converted']]);
    expect(read('20.5C')).toEqual([20.5]);
    expect(read('20.5 hPa')).toBe('bad-value');
    expect(read('20.5 xyz')).toBe('bad-value');
    const irradiance = channel('0', 'solarIrradiance', { unit: 'W/m²', scale: 1000 });
    expect(lines('csv', [irradiance])('0.5V')).toEqual([500]);
  });

  it('is kept and marked where it is beyond what is plausible', () => {
    const decoder = createLineDecoder(sourceSettings('csv', [channel('0', 'airTemperature')]));
    const outcome = decoder.decode({ bytes: Buffer.from('85'), receivedAt: RECEIVED_AT });
    expect(outcome).toMatchObject({ measurements: [{ value: 85, quality: 'suspect', flags: ['out-of-range'] }] });
  });

  it('is not given at all where another value of its line is no number', () => {
    const read = lines('csv', [channel('0', 'airTemperature'), channel('1', 'relativeHumidity')]);
    expect(read('20,5x')).toBe('bad-value');
    expect(read('20,')).toEqual([20, [null, 'missing']]);
    expect(read('20')).toEqual([20]);
  });
});

describe('a line', () => {
  it('is not text when it holds control characters or bytes that are not UTF-8', () => {
    const read = lines('csv', [channel('0', 'number')]);
    expect(read(new Uint8Array([0x31, 0x00, 0x32]))).toBe('not-text');
    expect(read(new Uint8Array([0x31, 0xff]))).toBe('not-text');
    expect(read(new Uint8Array([0xc3, 0x28]))).toBe('not-text');
    expect(read(new Uint8Array([0x1b, 0x31]))).toBe('not-text');
  });

  it('is freed from what a line driver puts before it when it switches', () => {
    const read = lines('csv', [channel('0', 'number')]);
    expect(read(new Uint8Array([0x00, 0xff, 0x7f, 0x34, 0x32]))).toEqual([42]);
  });

  it('says why it was rejected, within bounds', () => {
    const decoder = createLineDecoder(sourceSettings('csv', [channel('0', 'number')]));
    const outcome = decoder.decode({ bytes: Buffer.from(`${'é'.repeat(500)},1`), receivedAt: RECEIVED_AT });
    if (outcome === 'other-address' || outcome.rejection === null) throw new Error('it was accepted');
    expect(outcome.rejection.reason).toBe('bad-value');
    expect(outcome.rejection.detail.length).toBeLessThanOrEqual(200);
    expect(outcome.rejection.excerpt.length).toBeLessThanOrEqual(200);
    expect(outcome.rejection.receivedAt).toBe(RECEIVED_AT);
  });

  it('without any of the channels is rejected', () => {
    expect(lines('keyvalue', [channel('T', 'airTemperature')])('0TX,Start-up')).toBe('no-channel');
    expect(lines('csv', [channel('4', 'airTemperature')])('1,2,3')).toBe('no-channel');
  });

  it('never makes a decoder throw, and never gives a number that is not finite', () => {
    const formats: readonly LineFormat[] = ['csv', 'keyvalue', 'json', 'regex', 'nmea'];
    const fragments = fc.constantFrom(
      '$WIMWV,',
      '*3',
      '"',
      '\u0002',
      '\u0003',
      '{"0":',
      '}',
      '[',
      '0r1,',
      '=',
      ',',
      'Dn',
      '1e9',
      '#',
      'XDR:C',
    );
    const text = fc
      .array(fc.oneof(fragments, fc.string({ maxLength: 5 })), { maxLength: 12 })
      .map((parts) => parts.join(''));
    const bytes = fc.oneof(
      text.map((line) => Buffer.from(line)),
      fc.uint8Array({ maxLength: 40 }),
    );
    const keys = ['0', 'Dn', '/0', 'MWV:1', 'XDR:C'].map((key) => channel(key, 'number'));
    for (const format of formats) {
      for (const checksum of ['auto', 'required', 'none'] as const) {
        const decoder = createLineDecoder(sourceSettings(format, keys, { checksum, pattern: '(.*)', address: '' }));
        fc.assert(
          fc.property(bytes, (line) => {
            const outcome = decoder.decode({ bytes: line, receivedAt: RECEIVED_AT });
            if (outcome === 'other-address') return;
            for (const { value } of outcome.measurements) expect(value === null || Number.isFinite(value)).toBe(true);
          }),
          { numRuns: 200 },
        );
      }
    }
  });
});

describe('settings that cannot work', () => {
  it('are refused when the decoder is made', () => {
    for (const settings of [
      sourceSettings('csv', [channel('0', 'happiness')]),
      sourceSettings('regex', [channel('1', 'number')], { pattern: '(' }),
      sourceSettings('regex', [channel('1', 'number')], { pattern: 'x'.repeat(2000) }),
    ]) {
      expect.soft(attempt(() => createLineDecoder(settings))).toBe(true);
    }
  });
});

function attempt(action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch (error) {
    return hasCode(error, 'FLOW_INVALID');
  }
}
