import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toMeasurements } from '../../src/decode/codec/uplink-measurements.ts';
import type { ChannelMap, Device } from '../../src/model/device.ts';
import type { Measurement } from '../../src/model/record.ts';

const AT = Date.UTC(2026, 5, 1);
const channel = (field: string, over: Partial<ChannelMap> = {}): ChannelMap => ({
  field,
  quantity: 'airTemperature',
  unit: '°C',
  channel: '',
  ...over,
});
const device = (channels: readonly ChannelMap[]): Device => ({
  id: 'th-1',
  model: 'th',
  lorawan: 'abp',
  devEui: '',
  joinEui: '',
  devAddr: '49be7df1',
  relaxedCounter: false,
  codec: '',
  intervalMs: 600_000,
  channels,
});
const map = (data: unknown, ...channels: ChannelMap[]): ReturnType<typeof toMeasurements> =>
  toMeasurements({ device: device(channels), place: 'square', data, uplink: { receivedAt: AT } });
const only = (data: unknown, over: Partial<ChannelMap> = {}): Measurement =>
  map(data, channel('t', over)).measurements[0]!;

describe('toMeasurements', () => {
  it('gives a measurement with its place, device, time and spacing', () => {
    expect(map({ t: 21.5 }, channel('t', { channel: 'upper' }))).toEqual({
      measurements: [
        {
          place: 'square',
          channel: 'upper',
          device: 'th-1',
          quantity: 'airTemperature',
          unit: '°C',
          observedAt: AT,
          receivedAt: AT,
          periodMs: null,
          intervalMs: 600_000,
          value: 21.5,
          quality: 'good',
          flags: [],
        },
      ],
      missing: [],
    });
  });

  it.each([
    [{ a: { b: 3 } }, 'a/b'],
    [{ a: { b: 3 } }, 'a.b'],
    [{ 'a.b': 3 }, 'a.b'],
    [{ a: [{ b: 1 }, { b: 3 }] }, 'a/1/b'],
    [{ 'x.y': { b: 3 } }, 'x.y/b'],
  ])('finds in %j the field %s', (data, field) => {
    expect(map(data, channel(field)).measurements[0]!.value).toBe(3);
  });

  it.each([
    [21, 21],
    ['21.50', 21.5],
    [' -3 ', -3],
    [true, 1],
    [false, 0],
  ])('takes %j as %d', (given, value) => {
    expect(only({ t: given })).toMatchObject({ value, quality: 'good' });
  });

  it.each(['hot', '', '12 °C', {}, [1]])('marks %j invalid', (given) => {
    expect(only({ t: given })).toMatchObject({ value: null, quality: 'bad', flags: ['invalid'] });
  });

  it('marks a null missing, and never takes it for 0', () => {
    expect(only({ t: null })).toMatchObject({ value: null, quality: 'bad', flags: ['missing'] });
  });

  it('names the fields that are absent and gives no measurement for them', () => {
    expect(map({ t: 1 }, channel('t'), channel('constructor'), channel('t/x'))).toMatchObject({
      measurements: [{ value: 1 }],
      missing: ['constructor', 't/x'],
    });
  });

  it('converts units and says so', () => {
    expect(only({ t: 68 }, { unit: '°F' })).toMatchObject({ value: 20, unit: '°C', flags: ['unit-converted'] });
    expect(only({ t: 20 }, { unit: 'degC' })).toMatchObject({ value: 20, flags: [] });
    expect(only({ t: 20 }, { unit: '' })).toMatchObject({ value: 20, flags: [] });
    expect(only({ t: 20 }, { unit: 'hPa' })).toMatchObject({ value: null, flags: ['invalid'] });
  });

  it('marks a value outside its plausible range suspect and keeps it', () => {
    expect(only({ t: 327.67 })).toMatchObject({ value: 327.67, quality: 'suspect', flags: ['out-of-range'] });
  });

  it('gives a finite value or null for any JSON a codec may return', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        for (const { value: given, flags } of map({ t: value }, channel('t'), channel('t/0')).measurements)
          expect(given === null ? flags.length > 0 : Number.isFinite(given)).toBe(true);
        map(value, channel('t'), channel('0/1'));
      }),
    );
  });
});
