import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QUANTITIES } from '../../src/model/quantity.ts';
import { canonicalUnit, convertUnit } from '../../src/model/unit.ts';

const UNITS = [
  ['°C', '°F', 'K'],
  ['hPa', 'Pa', 'kPa', 'bar', 'mbar', 'inHg', 'mmHg'],
  ['m/s', 'km/h', 'kn', 'mph'],
  ['%', 'fraction'],
  ['W/m²', 'kW/m²'],
  ['L', 'm³', 'mL'],
  ['V', 'mV'],
  ['m', 'cm', 'mm', 'km'],
  ['Ω', 'kΩ'],
] as const;

describe('units', () => {
  it.each([
    [68, '°F', '°C', 20],
    [-40, 'degF', 'C', -40],
    [293.15, 'K', '°C', 20],
    [101325, 'Pa', 'hPa', 1013.25],
    [101.325, 'kPa', 'hPa', 1013.25],
    [1.01325, 'bar', 'hPa', 1013.25],
    [1013.25, 'mbar', 'hPa', 1013.25],
    [36, 'km/h', 'm/s', 10],
    [1, 'kn', 'm/s', 0.514444444444],
    [1, 'mph', 'm/s', 0.44704],
    [0.55, 'fraction', '%', 55],
    [1.5, 'm3', 'L', 1500],
    [3600, 'mV', 'V', 3.6],
    [10, 'kohm', 'Ω', 10_000],
    [25.4, 'mm', 'm', 0.0254],
    [61.2, 'dBA', 'dB(A)', 61.2],
    [61.2, 'dB', 'dB(A)', 61.2],
    [7, 'count', '1', 7],
  ])('turns %f %s into %s', (value, from, to, expected) => {
    expect(convertUnit(value, from, to)).toBe(expected);
  });

  it('converts columns of mercury by the conventional definition', () => {
    expect(convertUnit(760, 'mmHg', 'hPa')).toBeCloseTo(1013.25, 3);
    expect(convertUnit(29.9213, 'inHg', 'hPa')).toBeCloseTo(1013.25, 2);
  });

  it('refuses what does not convert: another dimension, another weighting, an unknown unit', () => {
    expect(convertUnit(1, '°C', 'hPa')).toBeUndefined();
    expect(convertUnit(60, 'dB(C)', 'dB(A)')).toBeUndefined();
    expect(convertUnit(60, 'dB(A)', 'furlong')).toBeUndefined();
    expect(convertUnit(50, '%', '1')).toBeUndefined();
    expect(canonicalUnit('furlong')).toBeUndefined();
  });

  it('knows the common spellings', () => {
    expect(['C', 'degC', ' °C ', 'dBA', 'm3', 'W/m2', 'ohm', '%RH'].map(canonicalUnit)).toEqual([
      '°C',
      '°C',
      '°C',
      'dB(A)',
      'm³',
      'W/m²',
      'Ω',
      '%',
    ]);
  });

  it("knows the unit of every quantity of the catalogue under that quantity's spelling", () => {
    expect(QUANTITIES.map(({ unit }) => canonicalUnit(unit))).toEqual(QUANTITIES.map(({ unit }) => unit));
  });

  it('gives the value back, whichever way round', () => {
    const pair = fc
      .constantFrom(...UNITS)
      .chain((units) => fc.tuple(fc.constantFrom(...units), fc.constantFrom(...units)));
    fc.assert(
      fc.property(pair, fc.double({ min: -1e6, max: 1e6, noNaN: true }), ([from, to], value) => {
        const back = convertUnit(convertUnit(value, from, to)!, to, from)!;
        expect(Math.abs(back - value)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(value)));
      }),
    );
  });
});
