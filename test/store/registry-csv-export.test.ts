import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Assignment } from '../../src/model/device.ts';
import { QUANTITIES } from '../../src/model/quantity.ts';
import { exportCsv } from '../../src/store/registry/csv-export.ts';
import { readCsv } from '../../src/store/registry/csv-reader.ts';
import { type Inventory, NO_KEYS } from '../../src/store/registry/inventory.ts';
import { EMPTY, device, imported, keysOf, place, plan } from './registry-inventory.ts';

const characters = (text: string) => fc.constantFrom(...text.split(''));
const awkward = fc.string({ unit: characters('aé;,"|\' =:°çœ€-0'), maxLength: 12 }).map((text) => text.trim());
const word = fc.string({ unit: characters('abé"; ,:'), minLength: 1, maxLength: 6 }).map((text) => `x${text.trim()}`);
const hex = (digits: number) =>
  fc.string({ unit: characters('0123456789abcdef'), minLength: digits, maxLength: digits });
const optional = <T>(value: fc.Arbitrary<T>, none: T) => fc.oneof(fc.constant(none), value);
const degrees = (limit: number) =>
  fc.option(fc.double({ min: -limit, max: limit, noNaN: true }).map((value) => value + 0));

const aPlace = fc.record({
  name: awkward,
  latitude: degrees(90),
  longitude: degrees(180),
  heightM: degrees(400),
  tags: fc.uniqueArray(word, { maxLength: 3 }),
});

const aChannel = fc.record({
  field: word,
  quantity: fc.constantFrom(...QUANTITIES),
  channel: fc.constantFrom('', 'north', 'nord:1'),
});

const aDevice = fc.record({
  model: awkward,
  lorawan: fc.constantFrom('otaa' as const, 'abp' as const, null),
  joinEui: optional(hex(16), ''),
  relaxedCounter: fc.boolean(),
  codec: awkward,
  intervalMs: fc.option(fc.integer({ min: 1, max: 999_999_999 })),
  channels: fc
    .uniqueArray(aChannel, { maxLength: 3, selector: ({ quantity, channel }) => `${quantity.id}:${channel}` })
    .map((channels) =>
      channels.map(({ field, quantity, channel }) => ({ field, quantity: quantity.id, unit: quantity.unit, channel })),
    ),
  appKey: optional(hex(32), ''),
});

const DAY_MS = 86_400_000;
const FIRST = Date.UTC(2026, 0, 1, 6, 30, 0, 125);

/** Devices that moved from place to place, places without device, devices without place. */
const inventory: fc.Arbitrary<Inventory> = fc
  .record({
    placeIds: fc.uniqueArray(word, { maxLength: 5 }),
    deviceIds: fc.uniqueArray(word, { maxLength: 5 }),
    places: fc.array(aPlace, { minLength: 5, maxLength: 5 }),
    devices: fc.array(aDevice, { minLength: 5, maxLength: 5 }),
    stays: fc.array(fc.array(fc.nat(4), { maxLength: 3 }), { minLength: 5, maxLength: 5 }),
  })
  .map(({ placeIds, deviceIds, places, devices, stays }) => ({
    places: placeIds.map((id, index) => place(id, places[index])),
    devices: deviceIds.map((id, index) => {
      const { appKey, ...fields } = devices[index]!;
      const identity = {
        devEui: (index + 1).toString(16).padStart(16, '0'),
        devAddr: index.toString(16).padStart(8, '2'),
      };
      return fields.lorawan === null
        ? { device: device(id, fields), keys: NO_KEYS }
        : { device: device(id, { ...fields, ...identity }), keys: { ...keysOf(index), appKey } };
    }),
    assignments: deviceIds.flatMap((id, index) =>
      stays[index]!.flatMap((target, turn): Assignment[] => {
        const at = placeIds[target];
        const isLast = turn === stays[index]!.length - 1;
        const from = FIRST + turn * DAY_MS;
        return at === undefined ? [] : [{ place: at, device: id, from, to: isLast ? null : from + DAY_MS }];
      }),
    ),
  }));

const sorted = ({ places, devices, assignments }: Inventory) => ({
  places: places.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  devices: devices.toSorted((a, b) => (a.device.id < b.device.id ? -1 : 1)),
  assignments: assignments.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
});

describe('exporting the registry', () => {
  it.each([';', ','] as const)('is undone by importing, with %s between the cells', (separator) => {
    fc.assert(
      fc.property(inventory, (before) => {
        const csv = exportCsv(before, { keys: true, separator });
        const after = imported(csv);
        expect(sorted(after)).toEqual(sorted(before));
        expect(exportCsv(sorted(after), { keys: true, separator })).toBe(
          exportCsv(sorted(before), { keys: true, separator }),
        );
      }),
    );
  });

  it('imported into the registry that it came from, changes nothing, with keys or without', () => {
    fc.assert(
      fc.property(inventory, fc.boolean(), (before, keys) => {
        const { change, faults, summary } = plan(exportCsv(before, { keys }), before);
        expect(faults).toEqual([]);
        expect(change).toEqual(EMPTY);
        expect(summary.added + summary.changed).toBe(0);
      }),
    );
  });

  it('writes keys only when asked', () => {
    const before: Inventory = {
      ...EMPTY,
      devices: [{ device: device('d1', { lorawan: 'abp', devAddr: '26011e05' }), keys: keysOf(1) }],
    };
    expect(exportCsv(before)).not.toContain(keysOf(1).nwkSKey);
    expect(exportCsv(before, { keys: true })).toContain(keysOf(1).nwkSKey);
    expect(readCsv(Buffer.from(exportCsv(before))).rows[0]).toEqual(
      readCsv(Buffer.from(exportCsv(before, { keys: true }))).rows[0],
    );
  });

  it('opens in a French spreadsheet: byte order mark, semicolons, decimal commas, CRLF', () => {
    const csv = exportCsv({ ...EMPTY, places: [place('hv', { name: 'Hôtel; "Ville"', latitude: 43.5167 })] });
    expect(csv.startsWith('\uFEFFplace;place_name;lat;')).toBe(true);
    expect(csv).toContain('\r\nhv;"Hôtel; ""Ville""";43,5167;');
    expect(csv.endsWith('\r\n')).toBe(true);
  });
});
