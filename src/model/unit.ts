/** Units that sensors speak and how they convert. Figures: NIST SP 811 (2008) appendix B; mmHg and inHg are the conventional ones. */
interface Unit {
  /** The spelling that is stored and published. */
  readonly id: string;
  /** Units of one dimension convert into each other. */
  readonly dimension: string;
  /** In the dimension's base unit: `(value - offset) * factor`. */
  readonly factor: number;
  readonly offset: number;
}

/** More than any sensor gives; it keeps the noise of binary fractions (55.00000000000001 %) out of what is published. */
const SIGNIFICANT_DIGITS = 12;

/** Unicode has the sign beside the Greek letter that the catalogue uses. */
const OHM_SIGN = '\u2126';

const SPELLINGS = new Map<string, Unit>();

function unit(id: string, dimension: string, factor: number, spellings: readonly string[] = [], offset = 0): void {
  const entry: Unit = { id, dimension, factor, offset };
  for (const spelling of [id, ...spellings]) SPELLINGS.set(spelling, entry);
}

unit('°C', 'temperature', 1, ['C', 'degC', 'Cel', '℃', 'º C', '° C', 'ºC', 'celsius', 'Celsius', 'c']);
unit('°F', 'temperature', 5 / 9, ['F', 'degF', '℉', 'ºF', '° F', 'fahrenheit', 'Fahrenheit'], 32);
unit('K', 'temperature', 1, ['kelvin', 'Kelvin'], 273.15);

unit('Pa', 'pressure', 1, ['pa', 'pascal']);
unit('hPa', 'pressure', 100, ['hpa', 'HPa', 'hectopascal']);
unit('kPa', 'pressure', 1000, ['kpa', 'KPa']);
unit('mbar', 'pressure', 100, ['mb', 'mBar', 'millibar']);
unit('bar', 'pressure', 100_000, ['Bar']);
unit('mmHg', 'pressure', 133.322387415, ['mm Hg', 'mmhg', 'Torr', 'torr']);
unit('inHg', 'pressure', 3386.388640341, ['in Hg', 'inhg']);

unit('m/s', 'speed', 1, ['m s-1', 'm.s-1', 'm·s⁻¹', 'mps', 'ms-1']);
unit('km/h', 'speed', 1 / 3.6, ['kmh', 'kph', 'km/hr', 'kmph']);
unit('kn', 'speed', 1852 / 3600, ['kt', 'kts', 'knot', 'knots', 'nd']);
unit('mph', 'speed', 0.44704, ['mi/h']);

unit('%', 'share', 1 / 100, ['%RH', '%rh', '% RH', '%HR', 'percent', 'pct']);
unit('fraction', 'share', 1, ['0..1', '0-1', 'ratio', '/']);

unit('dB', 'level', 1, ['db', 'DB']);
unit('dB(A)', 'level', 1, ['dBA', 'dB A', 'dba', 'db(a)', 'db(A)', 'DBA', 'dB[A]']);
unit('dB(C)', 'level', 1, ['dBC', 'dB C', 'dbc', 'db(c)', 'db(C)', 'DBC', 'dB[C]']);

unit('W/m²', 'irradiance', 1, ['W/m2', 'w/m2', 'W m-2', 'W.m-2', 'W·m⁻²', 'Wm-2', 'W/m^2']);
unit('kW/m²', 'irradiance', 1000, ['kW/m2', 'kW/m^2']);

unit('L', 'volume', 1, ['l', 'litre', 'litres', 'liter', 'dm3', 'dm³']);
unit('m³', 'volume', 1000, ['m3', 'm^3']);
unit('mL', 'volume', 1 / 1000, ['ml', 'cm3', 'cm³']);

unit('V', 'voltage', 1, ['v', 'volt', 'volts']);
unit('mV', 'voltage', 1 / 1000, ['mv', 'millivolt']);

unit('m', 'length', 1, ['metre', 'meter']);
unit('cm', 'length', 1 / 100);
unit('mm', 'length', 1 / 1000);
unit('km', 'length', 1000);

unit('Ω', 'resistance', 1, [OHM_SIGN, 'Ohm', 'ohm', 'ohms']);
unit('kΩ', 'resistance', 1000, [`k${OHM_SIGN}`, 'kOhm', 'kohm']);

unit('°', 'angle', 1, ['º', 'deg', 'degree', 'degrees']);
unit('1', 'number', 1, ['count', 'counts', 'unit']);

/** The stored spelling of a unit (`degC` → `°C`), or undefined when it is not known. */
export const canonicalUnit = (text: string): string | undefined => SPELLINGS.get(text.trim())?.id;

/**
 * A value in another unit; undefined when a unit is unknown or the two do not convert. Plain `dB` stands for any
 * weighting (the quantity says which), but dB(A) never becomes dB(C).
 */
export function convertUnit(value: number, from: string, to: string): number | undefined {
  const source = SPELLINGS.get(from) ?? SPELLINGS.get(from.trim());
  const target = SPELLINGS.get(to) ?? SPELLINGS.get(to.trim());
  if (source === undefined || target === undefined || source.dimension !== target.dimension) return undefined;
  if (source.id === target.id) return value;
  if (source.dimension === 'level') return source.id === 'dB' || target.id === 'dB' ? value : undefined;
  const converted = (value - source.offset) * (source.factor / target.factor) + target.offset;
  return Number(converted.toPrecision(SIGNIFICANT_DIGITS));
}
