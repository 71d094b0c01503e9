import { checkCodec } from '../decode/codec/check-codec.ts';
import { GatewayError } from '../runtime/errors.ts';
import { exportCsv } from '../store/registry/csv-export.ts';
import { planImport } from '../store/registry/csv-import.ts';
import { readInventory } from '../store/registry/inventory.ts';
import { replaceDevice } from '../store/registry/replace-device.ts';
import type { Store } from '../store/store.ts';
import type { Deps } from './deps.ts';

/** Changes of the inventory: checked as a whole, applied in one transaction. */
export class RegistryControl {
  readonly #store: Store;
  readonly #deps: Deps;

  constructor(store: Store, deps: Deps) {
    this.#store = store;
    this.#deps = deps;
  }

  /** Throws REGISTRY_CSV_INVALID only where the file cannot be read at all; row faults come back in the report. */
  async importCsv(csv: Uint8Array, timezone: string, options: { dryRun: boolean; partial: boolean }): Promise<unknown> {
    const { change, faults, faultCount, notices, summary } = planImport(csv, await readInventory(this.#store), {
      partial: options.partial,
      timezone,
      nowMs: this.#deps.clock.nowMs(),
    });
    const isApplied = !options.dryRun && (faultCount === 0 || options.partial);
    if (isApplied) await this.#store.applyRegistry(change);
    return { applied: isApplied, summary, faults, faultCount, notices };
  }

  async exportCsv(withKeys: boolean): Promise<string> {
    return exportCsv(await readInventory(this.#store), { keys: withKeys });
  }

  /** Ends the place's assignment now and begins the new device's: the place's series goes on. */
  async replace(place: string, device: string, replaced: string | null): Promise<void> {
    const { places, devices, assignments } = await readInventory(this.#store);
    if (!places.some((one) => one.id === place)) {
      throw new GatewayError('REGISTRY_NOT_FOUND', `there is no place ${place}`, { context: { place } });
    }
    const found = devices.find((one) => one.device.id === device || one.device.devEui === device.toLowerCase());
    if (found === undefined)
      throw new GatewayError('REGISTRY_NOT_FOUND', `there is no device ${device}`, { context: { device } });
    const changed = replaceDevice(assignments, {
      place,
      device: found.device.id,
      at: this.#deps.clock.nowMs(),
      ...(replaced === null ? {} : { replaced }),
    });
    await this.#store.applyRegistry({ places: [], devices: [], assignments: changed });
  }

  /** Throws CODEC_INVALID with the line at fault. */
  async saveCodec(name: string, script: string): Promise<void> {
    await checkCodec(script);
    await this.#store.saveCodec(name, script, this.#deps.clock.nowMs());
  }
}
