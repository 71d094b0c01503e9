import { isDeepStrictEqual } from 'node:util';
import type { DeviceKeys, RegistryChange } from '../store.ts';
import type { CsvMerge, RowSubjects } from './csv-merge.ts';
import { type Inventory, NO_KEYS, assignmentKey } from './inventory.ts';

/** Rows of the file, by what applying them does. */
export interface ImportSummary {
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
}

/** Ids of the entries that differ from the standing ones. */
export interface Changes {
  readonly places: ReadonlySet<string>;
  readonly devices: ReadonlySet<string>;
  readonly assignments: ReadonlySet<string>;
}

/** Compares what the rows lead to with what stands. */
export function changesOf(merge: CsvMerge, current: Inventory): Changes {
  const places = new Map(current.places.map((place) => [place.id, place]));
  const devices = new Map(current.devices.map((entry) => [entry.device.id, entry]));
  const assignments = new Map(current.assignments.map((entry) => [assignmentKey(entry), entry]));
  return {
    places: differing(merge.places, places),
    devices: differing(merge.devices, devices),
    assignments: differing(merge.assignments, assignments),
  };
}

const differing = <T>(after: ReadonlyMap<string, T>, before: ReadonlyMap<string, T>): ReadonlySet<string> =>
  new Set(
    [...after]
      .filter(([id, entry]) => entry !== before.get(id) && !isDeepStrictEqual(entry, before.get(id)))
      .map(([id]) => id),
  );

/** The differing entries whole, as the store takes them. */
export function changeOf(changes: Changes, merge: CsvMerge, current: Inventory): RegistryChange {
  const standing = new Map(current.devices.map(({ device, keys }) => [device.id, keys]));
  return {
    places: [...merge.places.values()].filter(({ id }) => changes.places.has(id)),
    devices: [...merge.devices.values()]
      .filter(({ device }) => changes.devices.has(device.id))
      .map(({ device, keys }) => ({ device, keys: newKeys(keys, standing.get(device.id) ?? NO_KEYS) })),
    assignments: [...merge.assignments.values()].filter((entry) => changes.assignments.has(assignmentKey(entry))),
  };
}

/** Keys that stand already need not be sealed again. */
const newKeys = (after: DeviceKeys, before: DeviceKeys): DeviceKeys => ({
  appKey: after.appKey === before.appKey ? '' : after.appKey,
  nwkSKey: after.nwkSKey === before.nwkSKey ? '' : after.nwkSKey,
  appSKey: after.appSKey === before.appSKey ? '' : after.appSKey,
});

/** Counts a row by its assignment, or by its place or device when it has none. */
export function summarize(rows: readonly RowSubjects[], current: Inventory, changes: Changes): ImportSummary {
  const standing = new Set([
    ...current.places.map(({ id }) => `place ${id}`),
    ...current.devices.map(({ device }) => `device ${device.id}`),
    ...current.assignments.map((entry) => `assignment ${assignmentKey(entry)}`),
  ]);
  const summary = { added: 0, changed: 0, unchanged: 0 };
  for (const { place, device, assignment } of rows) {
    const subject =
      assignment === null ? (device === null ? `place ${place}` : `device ${device}`) : `assignment ${assignment}`;
    const isChanged =
      (place !== null && changes.places.has(place)) ||
      (device !== null && changes.devices.has(device)) ||
      (assignment !== null && changes.assignments.has(assignment));
    if (!standing.has(subject)) summary.added++;
    else if (isChanged) summary.changed++;
    else summary.unchanged++;
  }
  return summary;
}
