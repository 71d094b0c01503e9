import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findConflicts, findDangling } from '../../src/store/registry/conflicts.ts';
import { planImport } from '../../src/store/registry/csv-import.ts';
import { applyChange } from '../../src/store/registry/inventory.ts';
import {
  CITY_HEADER,
  EMPTY,
  NOW,
  OPTIONS,
  cityRows,
  device,
  faultsOf,
  imported,
  keysOf,
  place,
  plan,
} from './registry-inventory.ts';

const EUI = '70b3d57ed0001234';
const KEYS = keysOf(1);
const ABP = `abp;26011e05;${KEYS.nwkSKey};${KEYS.appSKey}`;
const ABP_HEADER = 'place;device;lorawan;dev_addr;nwk_s_key;app_s_key';

describe('importing the registry', () => {
  it('reads every column', () => {
    const keys = { appKey: '0'.repeat(32), nwkSKey: '1'.repeat(32), appSKey: 'a'.repeat(32) };
    const csv = `${CITY_HEADER}
hv;Hôtel de Ville;43,5167;4,9883;3,5;chaleur|ville;th-1;TH1;OTAA;70-B3-D5-7E-D0-00-12-34;70:b3:d5:7e:d0:00:00:00;${keys.appKey};26 01 1E 05;${keys.nwkSKey};${'A'.repeat(32)};oui;th1;10m;temperature=airTemperature:degF|/wind/speed=windSpeed:km/h:10m;2026-03-01T14:30:00+01:00;2026-04-01`;
    expect(imported(csv)).toEqual({
      places: [
        place('hv', {
          name: 'Hôtel de Ville',
          latitude: 43.5167,
          longitude: 4.9883,
          heightM: 3.5,
          tags: ['chaleur', 'ville'],
        }),
      ],
      devices: [
        {
          device: device('th-1', {
            model: 'TH1',
            lorawan: 'otaa',
            devEui: EUI,
            joinEui: '70b3d57ed0000000',
            devAddr: '26011e05',
            relaxedCounter: true,
            codec: 'th1',
            intervalMs: 600_000,
            channels: [
              { field: 'temperature', quantity: 'airTemperature', unit: '°F', channel: '' },
              { field: '/wind/speed', quantity: 'windSpeed', unit: 'km/h', channel: '10m' },
            ],
          }),
          keys,
        },
      ],
      assignments: [{ place: 'hv', device: 'th-1', from: Date.UTC(2026, 2, 1, 13, 30), to: Date.UTC(2026, 2, 31, 22) }],
    });
  });

  it('keeps what stands where a cell is empty, and deletes nothing', () => {
    const current = imported(`place,place_name,lat,device,model\nhv,Hall,43.5,d1,M1\nsq,Square,,,`);
    const after = imported('place,place_name,lat,device,model\nhv,,44,d1,\n', current);
    expect(after.places).toEqual([place('hv', { name: 'Hall', latitude: 44 }), place('sq', { name: 'Square' })]);
    expect(after.devices[0]?.device.model).toBe('M1');
    expect(after.assignments).toEqual(current.assignments);
  });

  it('changes nothing when the same file comes again', () => {
    const csv = [CITY_HEADER, ...cityRows(20), 'lieu-x;;;;;;stock-1;TH1'].join('\n');
    const after = imported(csv);
    const again = planImport(Buffer.from(csv), after, { ...OPTIONS, nowMs: NOW + 86_400_000 });
    expect(again.change).toEqual(EMPTY);
    expect(again.summary).toEqual({ added: 0, changed: 0, unchanged: 21 });
  });

  it('counts rows by what they do', () => {
    const current = imported('place,place_name,device\na,A,d1\nb,B,d2');
    expect(plan('place,place_name,device\na,A,d1\nb,Other,d2\nc,C,d3', current).summary).toEqual({
      added: 1,
      changed: 1,
      unchanged: 1,
    });
  });

  it('gives only what differs, and only keys that are new', () => {
    const csv = `${ABP_HEADER};model\nhv;d1;${ABP};\nsq;d2;;;;;M`;
    const current = imported(csv);
    const { change } = plan(`${csv.replace('hv;d1', 'hv;d1')}2`, current);
    expect(change).toMatchObject({ places: [], assignments: [], devices: [{ device: { id: 'd2', model: 'M2' } }] });
    const renamed = plan(`${ABP_HEADER};model\nhv;d1;${ABP};T9`, current);
    expect(renamed.change.devices[0]?.keys).toEqual({ appKey: '', nwkSKey: '', appSKey: '' });
  });

  it('begins an assignment without "from" now, and closes the open one where only "to" is given', () => {
    const current = imported('place,device\nhv,d1');
    expect(current.assignments).toEqual([{ place: 'hv', device: 'd1', from: NOW, to: null }]);
    const after = imported('place,device,to\nhv,d1,2026-07-01', current);
    expect(after.assignments).toEqual([{ place: 'hv', device: 'd1', from: NOW, to: Date.UTC(2026, 5, 30, 22) }]);
  });

  it('takes a place alone, a device alone, and names a device after its EUI where it has no other name', () => {
    const after = imported(`place;device;dev_eui;lorawan\nhv;;;\n;stock;;\nsq;;${EUI.toUpperCase()};otaa`);
    expect(after.places.map(({ id }) => id)).toEqual(['hv', 'sq']);
    expect(after.devices.map(({ device }) => device.id)).toEqual(['stock', EUI]);
    expect(after.assignments).toHaveLength(1);
    const named = imported(`device;dev_eui;lorawan\nth-1;${EUI};otaa`);
    expect(imported(`place;dev_eui\nhv;${EUI}`, named).assignments).toMatchObject([{ place: 'hv', device: 'th-1' }]);
  });

  it('ignores unknown columns and says which', () => {
    const { notices, faults } = plan('place,Remarque,lattitude\nhv,x,1');
    expect(faults).toEqual([]);
    expect(notices).toMatchObject([{ code: 'COLUMNS_IGNORED' }]);
    expect(notices[0]?.message.fr).toContain('remarque, lattitude');
  });

  it('requires a header', () => {
    expect(faultsOf('hv,Hôtel\nsq,Square')).toEqual(['1::HEADER_MISSING']);
    expect(faultsOf('')).toEqual(['0::HEADER_MISSING']);
    expect(faultsOf('place,place,lat\nhv,hv,1')).toEqual(['1:place:COLUMN_TWICE']);
  });

  it.each([
    ['dev_eui', '7,00E+15', 'HEX_DAMAGED'],
    ['dev_eui', '7E+15', 'HEX_DAMAGED'],
    ['dev_eui', '4883000012', 'HEX_DAMAGED'],
    ['dev_eui', '70b3d57ed000123', 'HEX_LENGTH'],
    ['dev_eui', '70b3d57ed000123x', 'HEX_INVALID'],
    ['join_eui', '0', 'HEX_DAMAGED'],
    ['dev_addr', '2,6011E+09', 'HEX_DAMAGED'],
    ['dev_addr', '26011ea51', 'HEX_LENGTH'],
    ['nwk_s_key', 'abc', 'HEX_LENGTH'],
    ['app_s_key', '2,00E+31', 'HEX_DAMAGED'],
    ['app_key', 'xyz', 'HEX_INVALID'],
    ['lat', '91', 'NUMBER_OUT_OF_RANGE'],
    ['lat', '43°30', 'NUMBER_INVALID'],
    ['lon', '-180,5', 'NUMBER_OUT_OF_RANGE'],
    ['height_m', '3 m', 'NUMBER_INVALID'],
    ['lorawan', 'class A', 'WORD_UNKNOWN'],
    ['relaxed_counter', 'peut-être', 'WORD_UNKNOWN'],
    ['interval', '10 minutes', 'DURATION_INVALID'],
    ['interval', '0s', 'DURATION_INVALID'],
    ['channels', 'temperature', 'CHANNEL_INVALID'],
    ['channels', '=airTemperature', 'CHANNEL_INVALID'],
    ['channels', 't=warmth:°C', 'QUANTITY_UNKNOWN'],
    ['channels', 't=airTemperature:hPa', 'UNIT_UNKNOWN'],
    ['channels', 't=airTemperature:degX', 'UNIT_UNKNOWN'],
    ['channels', 'a=airTemperature:C|b=airTemperature:C', 'CHANNEL_INVALID'],
    ['from', '2026-02-30', 'INSTANT_INVALID'],
    ['from', '2026-03-01T10:00', 'INSTANT_INVALID'],
    ['to', 'demain', 'INSTANT_INVALID'],
    ['device', 'a/b', 'TEXT_INVALID'],
    ['model', 'x'.repeat(201), 'TEXT_INVALID'],
  ])('refuses %s %s: %s', (column, value, code) => {
    const rest = column === 'device' ? '' : ';d1';
    expect(faultsOf(`place;${column}${rest && ';device'}\nhv;${value}${rest}`)).toEqual([`2:${column}:${code}`]);
  });

  it('tells in both languages how to keep a spreadsheet from damaging identifiers', () => {
    const [fault] = plan('device;dev_eui\nd1;7,00E+15').faults;
    expect(fault?.message.en).toContain('format the column as "Text"');
    expect(fault?.message.fr).toContain('format « Texte »');
  });

  it('takes 16 digits that look like a number with an exponent for what they are', () => {
    expect(imported('device;dev_eui;lorawan\nd1;7000000000000e15;otaa').devices[0]?.device.devEui).toBe(
      '7000000000000e15',
    );
  });

  it('reads a decimal comma only where the separator is not a comma', () => {
    expect(imported('place;lat\nhv;43,5').places[0]?.latitude).toBe(43.5);
    expect(imported('place;lat\nhv;43.5').places[0]?.latitude).toBe(43.5);
    expect(faultsOf('place,lat\nhv,"43,5"')).toEqual(['2:lat:NUMBER_INVALID']);
    expect(faultsOf('place,lat\nhv,43,5')).toEqual(['2::TOO_MANY_CELLS']);
    expect(imported('place,lat\nhv,43.5,,,').places[0]?.latitude).toBe(43.5);
  });

  it.each([
    ['2026-03-01', Date.UTC(2026, 1, 28, 23)],
    ['2026-07-14', Date.UTC(2026, 6, 13, 22)],
    ['14/07/2026', Date.UTC(2026, 6, 13, 22)],
    ['2026-03-29', Date.UTC(2026, 2, 28, 23)],
    ['2026-03-30', Date.UTC(2026, 2, 29, 22)],
    ['2026-10-25', Date.UTC(2026, 9, 24, 22)],
    ['2026-10-26', Date.UTC(2026, 9, 25, 23)],
    ['2026-07-14T08:00:00.250Z', Date.UTC(2026, 6, 14, 8, 0, 0, 250)],
    ['2026-07-14 10:00+02:00', Date.UTC(2026, 6, 14, 8)],
  ])('takes %s in Paris for an instant', (from, expected) => {
    expect(imported(`place;device;from\nhv;d1;${from}`).assignments[0]?.from).toBe(expected);
  });

  it('begins a day at its first instant where midnight does not exist', () => {
    const options = { ...OPTIONS, timezone: 'Africa/Cairo' };
    const { change } = planImport(Buffer.from('place,device,from\nhv,d1,2026-04-24'), EMPTY, options);
    expect(change.assignments[0]?.from).toBe(Date.UTC(2026, 3, 23, 22));
  });

  it('does not take day-first dates from files with commas, which other countries write month first', () => {
    expect(faultsOf('place,device,from\nhv,d1,03/04/2026')).toEqual(['2:from:INSTANT_INVALID']);
  });

  it('refuses an ABP device without address or keys, but takes keys that stand already', () => {
    expect(faultsOf(`${ABP_HEADER}\nhv;d1;abp;;;`)).toEqual([
      '2:dev_addr:KEYS_MISSING',
      '2:nwk_s_key:KEYS_MISSING',
      '2:app_s_key:KEYS_MISSING',
    ]);
    const current = imported(`${ABP_HEADER}\nhv;d1;${ABP}`);
    expect(faultsOf(`${ABP_HEADER};model\nhv;d1;abp;;;;M2`, current)).toEqual([]);
    expect(faultsOf('device;lorawan\nd2;otaa')).toEqual(['2:dev_eui:EUI_MISSING']);
  });

  it('refuses one EUI for two devices, in the file or against what stands', () => {
    const csv = `device;dev_eui;lorawan\nd1;${EUI};otaa\nd2;${EUI};otaa`;
    expect(faultsOf(csv)).toEqual(['3:dev_eui:EUI_TWICE']);
    expect(faultsOf(`device;dev_eui\nd9;${EUI}`, imported(`device;dev_eui\nd1;${EUI}`))).toEqual([
      '2:dev_eui:EUI_TWICE',
    ]);
  });

  it('refuses one address with one network key for two devices; an address alone may be shared', () => {
    const other = keysOf(2);
    expect(faultsOf(`${ABP_HEADER}\nhv;d1;${ABP}\nsq;d2;${ABP}`)).toEqual(['3:dev_addr:SESSION_TWICE']);
    expect(faultsOf(`${ABP_HEADER}\nhv;d1;${ABP}\nsq;d2;abp;26011e05;${other.nwkSKey};${other.appSKey}`)).toEqual([]);
  });

  it('refuses a device at two places at once, and takes it where the first ended', () => {
    const header = 'place;device;from;to';
    expect(faultsOf(`${header}\na;d1;2026-01-01;\nb;d1;2026-02-01;`)).toEqual(['3:from:OVERLAP']);
    expect(faultsOf(`${header}\nb;d1;2026-02-01;\na;d1;2026-01-01;`)).toEqual(['3:from:OVERLAP']);
    expect(faultsOf(`${header}\na;d1;2026-01-01;2026-02-01\nb;d1;2026-02-01;`)).toEqual([]);
    expect(faultsOf(`${header}\nb;d1;2026-02-01;`, imported(`${header}\na;d1;2026-01-01;`))).toEqual([
      '2:from:OVERLAP',
    ]);
    expect(faultsOf(`${header}\na;d1;2026-01-01;\na;d2;2026-01-01;`)).toEqual([]);
  });

  it('refuses a period that ends before it begins, or that belongs to nothing', () => {
    expect(faultsOf('place;device;from;to\na;d1;2026-02-01;2026-01-01')).toEqual(['2:to:PERIOD_REVERSED']);
    expect(faultsOf('place;device;to\na;d1;2020-01-01')).toEqual(['2:to:PERIOD_REVERSED']);
    expect(faultsOf('place;device;from\na;;2026-02-01')).toEqual(['2:from:PERIOD_WITHOUT_ASSIGNMENT']);
    expect(faultsOf('place;device;lat\n;;43,5')).toEqual(['2:place:ID_MISSING']);
  });

  it('refuses two different values for one thing in one file, and takes the same value twice', () => {
    expect(faultsOf('place;place_name;device\na;North;d1\na;South;d2')).toEqual(['3:place_name:CONTRADICTION']);
    expect(faultsOf('place;place_name;device\na;North;d1\na;North;d2\na;;d3')).toEqual([]);
    expect(faultsOf('device;channels\nd1;t=airTemperature\nd1;u=airTemperature')).toEqual(['3:channels:CONTRADICTION']);
  });

  it('warns of LoRaWAN devices that nobody will listen to', () => {
    expect(plan(`device;dev_eui\nd1;${EUI}`).notices).toMatchObject([{ code: 'LORAWAN_MISSING', line: 2 }]);
  });

  it('tells every fault of a row at once', () => {
    expect(faultsOf('place;device;lat;lon;dev_eui\na/b;d1;x;999;12')).toEqual([
      '2:place:TEXT_INVALID',
      '2:lat:NUMBER_INVALID',
      '2:lon:NUMBER_OUT_OF_RANGE',
      '2:dev_eui:HEX_DAMAGED',
    ]);
  });

  it('names exactly the three wrong rows of 1300, and imports none, or all others when asked', () => {
    const rows = cityRows(1300);
    rows[9] = rows[9]!.replace(/70b3d57ed0[0-9a-f]{6}/, '7,07E+15');
    rows[699] = rows[699]!.replace('airTemperature:C', 'airTemperature:hPa');
    rows[1299] = rows[1299]!.replace(/;43,51\d;/, ';143,5;');
    const csv = [CITY_HEADER, ...rows].join('\r\n');
    expect(faultsOf(csv)).toEqual([
      '11:dev_eui:HEX_DAMAGED',
      '701:channels:UNIT_UNKNOWN',
      '1301:lat:NUMBER_OUT_OF_RANGE',
    ]);
    expect(plan(csv).change).toEqual(EMPTY);
    const { change, faults, summary } = plan(csv, EMPTY, { partial: true });
    expect(faults).toHaveLength(3);
    expect(summary).toEqual({ added: 1297, changed: 0, unchanged: 0 });
    expect(change.devices).toHaveLength(1297);
    expect(change.assignments).toHaveLength(1297);
  });

  it('leaves out the row that collides when asked to import the others', () => {
    const csv = `place;device;dev_eui;lorawan\na;d1;${EUI};otaa\nb;d2;${EUI};otaa\nc;d3;;`;
    const { change, faults } = plan(csv, EMPTY, { partial: true });
    expect(faults.map(({ line }) => line)).toEqual([3]);
    expect(change.devices.map(({ device }) => device.id)).toEqual(['d1', 'd3']);
    expect(change.places.map(({ id }) => id)).toEqual(['a', 'c']);
  });

  it('imports nothing of a file whose structure is broken, even when asked for the rest', () => {
    const { change, faults } = plan('place;place_name\na;"open\nb;B', EMPTY, { partial: true });
    expect(faults).toMatchObject([{ code: 'QUOTE_OPEN', line: 2 }]);
    expect(change).toEqual(EMPTY);
  });

  it('reads what French Excel saves as plain CSV', () => {
    const csv = Buffer.from('place;place_name;lat\r\nhv;Hôtel de Ville, côté été;43,5\r\n', 'latin1');
    const { change, notices } = plan(csv);
    expect(change.places[0]?.name).toBe('Hôtel de Ville, côté été');
    expect(notices.map(({ code }) => code)).toEqual(['NOT_UTF8']);
  });

  it('never shows a key in a fault, even one that slipped into another column', () => {
    const key = '2b7e151628aed2a6abf7158809cf4f3c';
    const spaced = key.replaceAll(/(..)/g, '$1-').toUpperCase();
    const wrong = `${ABP_HEADER};dev_eui;channels\nhv;d1;${key};${key};${key}0;x${key};${spaced};${key}=x`;
    const text = JSON.stringify(plan(wrong).faults).toLowerCase();
    expect(plan(wrong).faults).toHaveLength(6);
    expect(text).not.toContain(key.slice(2, 20));
    expect(text).not.toContain(spaced.slice(3, 30).toLowerCase());
  });

  it('lists a bounded number of faults and counts them all', () => {
    const { faults, faultCount } = plan(`place,lat\n${'a,x\n'.repeat(1500)}`);
    expect(faults).toHaveLength(1000);
    expect(faultCount).toBe(1500);
  });

  it('bears a file in which every row contradicts the first in every column', () => {
    const rows = Array.from({ length: 20_000 }, (_, n) => `p,a${n},1.${n},1.${n},t${n},m${n},c${n},d,${n + 1}s`);
    const { faults, faultCount, summary } = plan(
      ['place,place_name,lat,lon,tags,model,codec,device,interval', ...rows].join('\n'),
      EMPTY,
      { partial: true },
    );
    expect(faultCount).toBeGreaterThan(100_000);
    expect(faults).toHaveLength(1000);
    expect(summary.added).toBe(1);
  });

  it('never throws and never plans a change that contradicts itself', () => {
    const cell = fc.constantFrom(
      '',
      'a',
      'b',
      'd1',
      'd2',
      EUI,
      '26011e05',
      'abp',
      'otaa',
      KEYS.nwkSKey,
      '2026-01-01',
      '"',
      ';',
      'é',
    );
    const rows = fc.array(fc.array(cell, { minLength: 1, maxLength: 8 }), { maxLength: 8 });
    fc.assert(
      fc.property(rows, fc.boolean(), (grid, partial) => {
        const csv = `place;device;dev_eui;lorawan;dev_addr;nwk_s_key;app_s_key;from\n${grid.map((row) => row.join(';')).join('\n')}`;
        const after = applyChange(EMPTY, plan(csv, EMPTY, { partial }).change);
        expect(findConflicts(after)).toEqual([]);
        expect(findDangling(after)).toBeUndefined();
      }),
    );
  });
});
