import type { Assignment } from '../../model/device.ts';
import { GatewayError } from '../../runtime/errors.ts';

export interface Replacement {
  readonly place: string;
  /** The device that comes. */
  readonly device: string;
  /** When it took over. */
  readonly at: number;
  /** The device that goes; needed only where several hang at the place. */
  readonly replaced?: string;
}

/**
 * Swaps the device of a place: what hangs there ends at `at`, the new one begins then, and the place's series goes
 * on. Gives the assignments to write; where nothing hangs, only the new one.
 */
export function replaceDevice(assignments: readonly Assignment[], replacement: Replacement): readonly Assignment[] {
  const { place, device, at } = replacement;
  const standing = assignments.filter((entry) => entry.from <= at && (entry.to === null || entry.to > at));
  const elsewhere = standing.find((entry) => entry.device === device);
  if (elsewhere !== undefined) {
    throw new GatewayError('REGISTRY_CONFLICT', 'the device hangs at a place already', {
      context: { device, place: elsewhere.place },
    });
  }
  const going = goingFrom(
    standing.filter((entry) => entry.place === place),
    replacement,
  );
  const coming: Assignment = { place, device, from: at, to: null };
  return going === undefined ? [coming] : [{ ...going, to: at }, coming];
}

function goingFrom(hanging: readonly Assignment[], { place, replaced, at }: Replacement): Assignment | undefined {
  const candidates = replaced === undefined ? hanging : hanging.filter((entry) => entry.device === replaced);
  const [going] = candidates;
  if (candidates.length > 1) {
    throw new GatewayError('REGISTRY_CONFLICT', 'several devices hang at the place: name the one that goes', {
      context: { place, devices: candidates.map((entry) => entry.device).join(', ') },
    });
  }
  if (replaced !== undefined && going === undefined) {
    throw new GatewayError('REGISTRY_NOT_FOUND', 'the device to replace does not hang at the place', {
      context: { place, device: replaced },
    });
  }
  if (going?.from === at) {
    throw new GatewayError('REGISTRY_CONFLICT', 'the device that goes came at the same instant', {
      context: { place, device: going.device },
    });
  }
  return going;
}
