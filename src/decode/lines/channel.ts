import type { ChannelSettings, SerialSourceSettings } from '../../model/plan.ts';
import { findQuantity, isPlausible, type Quantity } from '../../model/quantity.ts';
import type { Flag, Measurement, Quality } from '../../model/record.ts';
import { canonicalUnit, convertUnit } from '../../model/unit.ts';
import { GatewayError } from '../../runtime/errors.ts';
import { readNumber } from './number-text.ts';
import { refuse, type RawValue, type Refusal } from './reading.ts';

/** Keeps the noise of binary fractions out of what `scale` and `offset` give. */
const SIGNIFICANT_DIGITS = 12;

/** Of counts and plain numbers: whatever unit the line gives, the number is taken as it is. */
const NO_UNIT = '1';

/** One channel of a source: turns what a line says about it into a measurement. */
export interface Channel {
  readonly settings: ChannelSettings;
  readonly quantity: Quantity;
  measure(raw: RawValue, receivedAt: number): Measurement | Refusal;
}

export function createChannel(settings: ChannelSettings, source: SerialSourceSettings): Channel {
  const quantity = findQuantity(settings.quantity);
  if (quantity === undefined) {
    const context = { node: source.nodeId, quantity: settings.quantity };
    throw new GatewayError('FLOW_INVALID', 'the quantity is not in the catalogue', { context });
  }
  const { scale, offset, averagingMs } = settings;
  const isScaled = scale !== 1 || offset !== 0;
  const allowComma = allowsDecimalComma(source);
  const intervalMs = averagingMs ?? source.poll?.everyMs ?? null;

  const record = (at: number, value: number | null, quality: Quality, flags: readonly Flag[]): Measurement => ({
    place: source.place,
    channel: settings.channel,
    device: source.device,
    quantity: quantity.id,
    unit: quantity.unit,
    observedAt: at,
    receivedAt: at,
    periodMs: averagingMs,
    intervalMs,
    value,
    quality,
    flags,
  });

  /** The unit in the line wins, since a device can be set up anew, unless a scaled value has got a unit of its own. */
  const convert = (number: number, lineUnit: string): Converted | undefined => {
    const value = isScaled ? Number((number * scale + offset).toPrecision(SIGNIFICANT_DIGITS)) : number;
    const own = settings.unit === '' ? quantity.unit : settings.unit;
    const isOwn = lineUnit === '' || quantity.unit === NO_UNIT || (isScaled && settings.unit !== '');
    return toUnit(value, isOwn ? own : lineUnit, quantity.unit);
  };

  const measure = (raw: RawValue, at: number): Measurement | Refusal => {
    if (raw.isInvalid) return record(at, null, 'bad', INVALID);
    const { value: given } = raw;
    const text = typeof given === 'number' ? numberOf(given) : readNumber(given, allowComma);
    if (text.kind === 'not-a-number') return refuse('bad-value', `${settings.key}: "${given}" is not a number`);
    if (text.kind !== 'number') return record(at, null, 'bad', text.kind === 'missing' ? MISSING : INVALID);
    const lineUnit = raw.unit === '' ? text.unit : raw.unit;
    const converted = convert(text.value, lineUnit);
    if (converted === undefined) return refuse('bad-value', noUnit(settings, lineUnit));
    const flags = converted.isOther ? CONVERTED : NO_FLAGS;
    if (isPlausible(quantity, converted.value)) return record(at, converted.value, 'good', flags);
    return record(at, converted.value, 'suspect', [...flags, 'out-of-range']);
  };
  return { settings, quantity, measure };
}

const NO_FLAGS: readonly Flag[] = [];
const CONVERTED: readonly Flag[] = ['unit-converted'];
const MISSING: readonly Flag[] = ['missing'];
const INVALID: readonly Flag[] = ['invalid'];

const noUnit = ({ key, unit, quantity }: ChannelSettings, lineUnit: string): string =>
  `${key}: "${lineUnit === '' ? unit : lineUnit}" is no unit of ${quantity}`;

interface Converted {
  readonly value: number;
  /** Whether the number itself changes with the unit (hPa to mbar: no). */
  readonly isOther: boolean;
}

const numberOf = (value: number) => ({ kind: 'number', value, unit: '' }) as const;

function toUnit(value: number, from: string, to: string): Converted | undefined {
  if (from === to) return { value, isOther: false };
  const converted = convertUnit(value, from, to);
  if (converted === undefined) return undefined;
  const isSame = canonicalUnit(from) === to || (convertUnit(1, from, to) === 1 && convertUnit(0, from, to) === 0);
  return { value: converted, isOther: !isSame };
}

/** `23,4` is 23.4 wherever the comma has no other meaning. */
const allowsDecimalComma = ({ format, separator }: SerialSourceSettings): boolean =>
  format === 'regex' || format === 'json' || (format !== 'nmea' && separator !== ',');
