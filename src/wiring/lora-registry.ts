import type { Assignment, Device, Place } from '../model/device.ts';
import type { LoraSourceSettings } from '../model/plan.ts';
import type { RegistryStore, Session } from '../store/store.ts';

/** The inventory as the LoRa path needs it, in memory: read again after each change of the registry. */
export interface RegistryView {
  readonly devices: ReadonlyMap<string, Device>;
  readonly places: ReadonlyMap<string, Place>;
  readonly sessions: readonly Session[];
  readonly assignments: ReadonlyMap<string, readonly Assignment[]>;
  readonly codecs: ReadonlyMap<string, string>;
}

export const EMPTY_VIEW: RegistryView = {
  devices: new Map(),
  places: new Map(),
  sessions: [],
  assignments: new Map(),
  codecs: new Map(),
};

export async function readRegistry(store: RegistryStore): Promise<RegistryView> {
  const [devices, places, sessions, assignments, codecs] = await Promise.all([
    store.devices(),
    store.places(),
    store.sessions(),
    store.assignments(),
    store.codecs(),
  ]);
  return {
    devices: new Map(devices.map((device) => [device.id, device])),
    places: new Map(places.map((place) => [place.id, place])),
    sessions,
    assignments: Map.groupBy(assignments, (assignment) => assignment.device),
    codecs: new Map(codecs.map((codec) => [codec.name, codec.script])),
  };
}

/** The place where a device hung at an instant, or undefined. */
export function placeAt(view: RegistryView, device: string, at: number): Place | undefined {
  const assignment = view.assignments.get(device)?.find(({ from, to }) => from <= at && (to === null || at < to));
  return assignment === undefined ? undefined : view.places.get(assignment.place);
}

/** Whether a `cigale-lora` node selects a quantity at a place; an empty list restricts nothing. */
export function isSelected(source: LoraSourceSettings, place: Place, quantity: string): boolean {
  const { places, tags, quantities } = source;
  return (
    (places.length === 0 || places.includes(place.id)) &&
    (tags.length === 0 || tags.some((tag) => place.tags.includes(tag))) &&
    (quantities.length === 0 || quantities.includes(quantity))
  );
}

/** Devices that hang now at a place which a node selects. */
export function selectedDevices(view: RegistryView, source: LoraSourceSettings, nowMs: number): readonly Device[] {
  return [...view.devices.values()].filter((device) => {
    const place = device.lorawan === null ? undefined : placeAt(view, device.id, nowMs);
    if (place === undefined) return false;
    if (device.channels.length === 0) return isSelected({ ...source, quantities: [] }, place, '');
    return device.channels.some((channel) => isSelected(source, place, channel.quantity));
  });
}
