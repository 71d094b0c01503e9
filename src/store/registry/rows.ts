import type { Assignment, ChannelMap, Device, Place } from '../../model/device.ts';
import type { Row, SqlValue } from '../database.ts';

/** Rows of the registry's tables as the nouns of `model/device.ts`, and back. */

const text = (value: SqlValue | undefined): string => (typeof value === 'string' ? value : '');
const integer = (value: SqlValue | undefined): number => (typeof value === 'number' ? value : 0);
const numberOrNull = (value: SqlValue | undefined): number | null => (typeof value === 'number' ? value : null);

export function placeOf(row: Row): Place {
  return {
    id: text(row['id']),
    name: text(row['name']),
    latitude: numberOrNull(row['latitude']),
    longitude: numberOrNull(row['longitude']),
    heightM: numberOrNull(row['height_m']),
    tags: JSON.parse(text(row['tags'])) as readonly string[],
  };
}

export function deviceOf(row: Row): Device {
  const lorawan = row['lorawan'];
  return {
    id: text(row['id']),
    model: text(row['model']),
    lorawan: lorawan === 'otaa' || lorawan === 'abp' ? lorawan : null,
    devEui: text(row['dev_eui']),
    joinEui: text(row['join_eui']),
    devAddr: text(row['dev_addr']),
    relaxedCounter: row['relaxed_counter'] === 1,
    codec: text(row['codec']),
    intervalMs: numberOrNull(row['interval_ms']),
    channels: JSON.parse(text(row['channels'])) as readonly ChannelMap[],
  };
}

export const assignmentOf = (row: Row): Assignment => ({
  place: text(row['place']),
  device: text(row['device']),
  from: integer(row['from_at']),
  to: numberOrNull(row['to_at']),
});

export const codecOf = (row: Row): { name: string; script: string; addedAt: number } => ({
  name: text(row['name']),
  script: text(row['script']),
  addedAt: integer(row['added_at']),
});

export const placeParams = (place: Place): readonly SqlValue[] => [
  place.id,
  place.name,
  place.latitude,
  place.longitude,
  place.heightM,
  JSON.stringify(place.tags),
];

export const deviceParams = (device: Device): readonly SqlValue[] => [
  device.id,
  device.model,
  device.lorawan,
  device.devEui,
  device.joinEui,
  device.devAddr,
  device.relaxedCounter ? 1 : 0,
  device.codec,
  device.intervalMs,
  JSON.stringify(device.channels),
];

export const assignmentParams = (assignment: Assignment): readonly SqlValue[] => [
  assignment.place,
  assignment.device,
  assignment.from,
  assignment.to,
];
