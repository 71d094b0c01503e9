import { hasCode } from '../../runtime/errors.ts';
import type { DeviceKeys, RegistryChange, RegistryStore } from '../store.ts';

/** A whole registry in memory, keys in clear: what an import is compared with, and what an export writes. */
export type Inventory = RegistryChange;

export const NO_KEYS: DeviceKeys = { appKey: '', nwkSKey: '', appSKey: '' };

/** Reads everything. A key that does not open counts as not given, so that entering it again replaces it. */
export async function readInventory(registry: RegistryStore): Promise<Inventory> {
  const devices: Inventory['devices'][number][] = [];
  for (const device of await registry.devices()) {
    const keys = await registry.deviceKeys(device.id).catch((error: unknown) => {
      if (hasCode(error, 'SECRET_UNREADABLE')) return undefined;
      throw error;
    });
    devices.push({ device, keys: keys ?? NO_KEYS });
  }
  return { places: await registry.places(), devices, assignments: await registry.assignments() };
}

/** Key of an assignment: what an import updates instead of adding. */
export const assignmentKey = (of: { place: string; device: string; from: number }): string =>
  `${of.place}\u001f${of.device}\u001f${of.from}`;

/** The inventory after a change; a key that the change does not give stays. */
export function applyChange(standing: Inventory, change: RegistryChange): Inventory {
  const places = new Map(standing.places.map((place) => [place.id, place]));
  const devices = new Map(standing.devices.map((entry) => [entry.device.id, entry]));
  const assignments = new Map(standing.assignments.map((entry) => [assignmentKey(entry), entry]));
  for (const place of change.places) places.set(place.id, place);
  for (const { device, keys } of change.devices) {
    devices.set(device.id, { device, keys: mergeKeys(devices.get(device.id)?.keys ?? NO_KEYS, keys) });
  }
  for (const entry of change.assignments) assignments.set(assignmentKey(entry), entry);
  return { places: [...places.values()], devices: [...devices.values()], assignments: [...assignments.values()] };
}

const mergeKeys = (standing: DeviceKeys, given: DeviceKeys): DeviceKeys => ({
  appKey: given.appKey || standing.appKey,
  nwkSKey: given.nwkSKey || standing.nwkSKey,
  appSKey: given.appSKey || standing.appSKey,
});
