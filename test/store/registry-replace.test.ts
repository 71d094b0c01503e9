import { describe, expect, it } from 'vitest';
import type { Assignment } from '../../src/model/device.ts';
import { replaceDevice } from '../../src/store/registry/replace-device.ts';

const AT = Date.UTC(2026, 5, 1);
const old: Assignment = { place: 'hv', device: 'old', from: AT - 1000, to: null };

describe('replacing the device of a place', () => {
  it('ends what hangs there and begins the new one at the same instant', () => {
    expect(replaceDevice([old], { place: 'hv', device: 'new', at: AT })).toEqual([
      { ...old, to: AT },
      { place: 'hv', device: 'new', from: AT, to: null },
    ]);
  });

  it('only begins the new one where nothing hangs', () => {
    const ended = { ...old, to: AT - 500 };
    expect(replaceDevice([ended], { place: 'hv', device: 'new', at: AT })).toEqual([
      { place: 'hv', device: 'new', from: AT, to: null },
    ]);
  });

  it('lets a device come back to a place where it hung before', () => {
    const before = { place: 'hv', device: 'new', from: 0, to: AT - 1000 };
    expect(replaceDevice([before, old], { place: 'hv', device: 'new', at: AT })).toHaveLength(2);
  });

  it('asks which one goes where several hang', () => {
    const second = { ...old, device: 'second' };
    expect(() => replaceDevice([old, second], { place: 'hv', device: 'new', at: AT })).toThrow(
      expect.objectContaining({ code: 'REGISTRY_CONFLICT' }),
    );
    expect(replaceDevice([old, second], { place: 'hv', device: 'new', at: AT, replaced: 'second' })[0]).toEqual({
      ...second,
      to: AT,
    });
  });

  it('refuses a device that hangs somewhere, one that is not there, and two swaps at one instant', () => {
    const elsewhere = { place: 'sq', device: 'new', from: 0, to: null };
    const attempt =
      (assignments: readonly Assignment[], extra: { at?: number; replaced?: string } = {}) =>
      () =>
        replaceDevice(assignments, { place: 'hv', device: 'new', at: AT, ...extra });
    expect(attempt([old, elsewhere])).toThrow(expect.objectContaining({ code: 'REGISTRY_CONFLICT' }));
    expect(attempt([old], { replaced: 'nobody' })).toThrow(expect.objectContaining({ code: 'REGISTRY_NOT_FOUND' }));
    expect(attempt([old], { at: old.from })).toThrow(expect.objectContaining({ code: 'REGISTRY_CONFLICT' }));
  });
});
