import type { Destination, NewEntry, Sample } from '../model/record.ts';
import {
  Dictionary,
  type NumberCell,
  type NumberColumn,
  isSameList,
  packDeltas,
  packNumber,
  unpackDeltas,
  unpackNumber,
} from './columns.ts';

type Profile = Omit<Sample, 'kind' | 'observedAt' | 'receivedAt' | 'value'> & { readonly to: readonly Destination[] };

/** A profile as JSON: place, channel, device, quantity, unit, period, interval, quality, flags, revision, destinations. */
type ProfileRow = readonly [
  string,
  string,
  string,
  string,
  string,
  NumberCell,
  NumberCell,
  Sample['quality'],
  Sample['flags'],
  NumberCell,
  readonly Destination[],
];

/** Samples by column: what is constant for a series once, then time, delay and value of each. */
export interface SampleColumns {
  readonly profiles: readonly ProfileRow[];
  /** Place in `profiles`, one per sample. */
  readonly profile: readonly number[];
  readonly observedAt: NumberColumn;
  readonly receivedAt: NumberColumn;
  readonly value: readonly NumberCell[];
}

type SampleEntry = NewEntry & { readonly record: Sample };

export function packSamples(entries: readonly SampleEntry[]): SampleColumns {
  const profiles = new Dictionary<SampleEntry>(isSameProfile);
  const profile = entries.map((entry) => {
    const { place, channel, quantity, device } = entry.record;
    return profiles.placeOf(`${place}\u001f${channel}\u001f${quantity}\u001f${device}`, entry, (kept) => kept);
  });
  return {
    profiles: profiles.values.map(profileRow),
    profile,
    observedAt: packDeltas(entries.map(({ record }) => record.observedAt)),
    receivedAt: packDeltas(entries.map(({ record }) => record.receivedAt)),
    value: entries.map(({ record }) => packNumber(record.value)),
  };
}

export function unpackSamples(columns: SampleColumns): NewEntry[] {
  const profiles = columns.profiles.map(profileOf);
  const observedAt = unpackDeltas(columns.observedAt);
  const receivedAt = unpackDeltas(columns.receivedAt);
  return columns.profile.map((place, index) => {
    const { to, ...rest } = profiles[place] as Profile;
    const value = unpackNumber(columns.value[index] ?? null);
    const times = { observedAt: observedAt[index] as number, receivedAt: receivedAt[index] as number };
    return { record: { kind: 'sample', ...rest, ...times, value }, to };
  });
}

function isSameProfile(a: SampleEntry, b: SampleEntry): boolean {
  const left = a.record;
  const right = b.record;
  return (
    left.place === right.place &&
    left.channel === right.channel &&
    left.device === right.device &&
    left.quantity === right.quantity &&
    left.unit === right.unit &&
    Object.is(left.periodMs, right.periodMs) &&
    Object.is(left.intervalMs, right.intervalMs) &&
    left.quality === right.quality &&
    Object.is(left.revision, right.revision) &&
    isSameList(left.flags, right.flags) &&
    isSameList(a.to, b.to)
  );
}

const profileRow = ({ record, to }: SampleEntry): ProfileRow => [
  record.place,
  record.channel,
  record.device,
  record.quantity,
  record.unit,
  packNumber(record.periodMs),
  packNumber(record.intervalMs),
  record.quality,
  record.flags,
  packNumber(record.revision),
  to,
];

function profileOf(row: ProfileRow): Profile {
  const [place, channel, device, quantity, unit, periodMs, intervalMs, quality, flags, revision, to] = row;
  return {
    place,
    channel,
    device,
    quantity,
    unit,
    periodMs: unpackNumber(periodMs),
    intervalMs: unpackNumber(intervalMs),
    quality,
    flags,
    revision: Number(revision),
    to,
  };
}
