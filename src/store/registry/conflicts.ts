import type { Assignment } from '../../model/device.ts';
import { type Inventory, assignmentKey } from './inventory.ts';

/** A rule over several entries that an inventory breaks. */
export interface Conflict {
  readonly kind: 'same-eui' | 'same-session' | 'reversed' | 'overlap';
  /** Device id (`same-…`) or assignment key: the one that comes second. */
  readonly subject: string;
  /** The one that it collides with. */
  readonly other: string;
}

/** Everything that is wrong between entries; empty for a sound registry. */
export const findConflicts = (inventory: Inventory): readonly Conflict[] => [
  ...sharedIdentities(inventory),
  ...reversals(inventory.assignments),
  ...overlaps(inventory.assignments),
];

/** An assignment whose place or device is not in the inventory, or undefined. */
export function findDangling({ places, devices, assignments }: Inventory): Assignment | undefined {
  const placeIds = new Set(places.map(({ id }) => id));
  const deviceIds = new Set(devices.map(({ device }) => device.id));
  return assignments.find(({ place, device }) => !placeIds.has(place) || !deviceIds.has(device));
}

function reversals(assignments: readonly Assignment[]): Conflict[] {
  return assignments
    .filter(({ from, to }) => to !== null && to <= from)
    .map((entry) => ({ kind: 'reversed', subject: assignmentKey(entry), other: assignmentKey(entry) }));
}

/**
 * Two devices may share a DevAddr (it is not unique in LoRaWAN), but not with the same network key: a frame could
 * then not be told apart.
 */
function sharedIdentities({ devices }: Inventory): Conflict[] {
  const byEui = new Map<string, string>();
  const bySession = new Map<string, string>();
  const conflicts: Conflict[] = [];
  const claim = (owners: Map<string, string>, identity: string, device: string, kind: Conflict['kind']): void => {
    const owner = owners.get(identity);
    if (owner === undefined) owners.set(identity, device);
    else conflicts.push({ kind, subject: device, other: owner });
  };
  for (const { device, keys } of devices) {
    const { id, devEui, devAddr } = device;
    if (devEui !== '') claim(byEui, devEui, id, 'same-eui');
    if (devAddr !== '' && keys.nwkSKey !== '') claim(bySession, `${devAddr} ${keys.nwkSKey}`, id, 'same-session');
  }
  return conflicts;
}

/** A device hangs at one place at a time. Several devices at one place are fine. */
function overlaps(assignments: readonly Assignment[]): Conflict[] {
  const conflicts: Conflict[] = [];
  for (const entries of Map.groupBy(assignments, ({ device }) => device).values()) {
    let longest: Assignment | undefined;
    for (const entry of entries.toSorted((a, b) => a.from - b.from)) {
      if (longest !== undefined && entry.from < endOf(longest)) {
        conflicts.push({ kind: 'overlap', subject: assignmentKey(entry), other: assignmentKey(longest) });
      }
      if (longest === undefined || endOf(entry) > endOf(longest)) longest = entry;
    }
  }
  return conflicts;
}

const endOf = (entry: Assignment): number => entry.to ?? Number.POSITIVE_INFINITY;
