import type { ChannelMap, Device } from '../../model/device.ts';
import type { StoredUplink } from '../../model/frame.ts';
import { findQuantity, isPlausible, type Quantity } from '../../model/quantity.ts';
import type { Flag, Measurement, Quality } from '../../model/record.ts';
import { canonicalUnit, convertUnit } from '../../model/unit.ts';

export interface DecodedUplink {
  readonly device: Device;
  /** Where the device hung when the uplink was received. */
  readonly place: string;
  /** The codec's `data`. */
  readonly data: unknown;
  readonly uplink: Pick<StoredUplink, 'receivedAt'>;
}

export interface UplinkMeasurements {
  readonly measurements: readonly Measurement[];
  /** Fields of the device's channels that this uplink does not carry: devices send different fields in turn. */
  readonly missing: readonly string[];
}

interface Judged {
  readonly value: number | null;
  readonly quality: Quality;
  readonly flags: readonly Flag[];
}

/** Maps a codec's output to the quantities that the registry gives the device's fields; pure. */
export function toMeasurements({ device, place, data, uplink }: DecodedUplink): UplinkMeasurements {
  const measurements: Measurement[] = [];
  const missing: string[] = [];
  for (const channel of device.channels) {
    const raw = fieldOf(data, channel.field);
    const quantity = findQuantity(channel.quantity);
    if (raw === undefined || quantity === undefined) {
      missing.push(channel.field);
      continue;
    }
    measurements.push({
      place,
      channel: channel.channel,
      device: device.id,
      quantity: quantity.id,
      unit: quantity.unit,
      observedAt: uplink.receivedAt,
      receivedAt: uplink.receivedAt,
      periodMs: null,
      intervalMs: device.intervalMs,
      ...judge(raw, channel, quantity),
    });
  }
  return { measurements, missing };
}

/** The field of that very name, else the path it spells: `env/temperature`, `env.temperature`, `sensors/0/value`. */
function fieldOf(data: unknown, field: string): unknown {
  const whole = own(data, field);
  if (whole !== undefined) return whole;
  const steps = field.split(field.includes('/') ? '/' : '.');
  return steps.length === 1 ? undefined : steps.reduce(own, data);
}

const own = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;

function judge(raw: unknown, { unit }: ChannelMap, quantity: Quantity): Judged {
  if (raw === null) return { value: null, quality: 'bad', flags: ['missing'] };
  const given = numberOf(raw);
  const value = given === null || unit === '' ? given : convertUnit(given, unit, quantity.unit);
  if (value === null || value === undefined) return { value: null, quality: 'bad', flags: ['invalid'] };
  const flags: Flag[] = unit === '' || canonicalUnit(unit) === quantity.unit ? [] : ['unit-converted'];
  if (isPlausible(quantity, value)) return { value, quality: 'good', flags };
  return { value, quality: 'suspect', flags: [...flags, 'out-of-range'] };
}

/** Codecs give numbers, numbers as text (`toFixed`), and booleans for states. */
function numberOf(raw: unknown): number | null {
  if (typeof raw === 'boolean') return raw ? 1 : 0;
  const value = typeof raw === 'string' && /^\s*[+-]?\d/.test(raw) ? Number(raw) : raw;
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
