import type { Device } from '../../model/device.ts';
import { rfc3339 } from '../../runtime/duration.ts';
import type { DeviceKeys } from '../store.ts';
import { type Conflict, findConflicts } from './conflicts.ts';
import type { CsvFault, CsvNotice } from './csv-faults.ts';
import type { CsvMerge } from './csv-merge.ts';

/** The rules over whole entries, checked once all rows are laid over what stands: faults with the line they come from. */
export function* ruleFaults(merge: CsvMerge, changedDevices: ReadonlySet<string>): Iterable<CsvFault> {
  const lines = linesOf(merge);
  for (const id of changedDevices) {
    const entry = merge.devices.get(id);
    const line = lines.get(id);
    if (entry !== undefined && line !== undefined) yield* incomplete(entry.device, entry.keys, line);
  }
  for (const { kind, subject, other } of findConflicts(merge.inventory)) {
    const line = Math.max(lines.get(subject) ?? 0, lines.get(other) ?? 0);
    // A conflict between entries that the file does not name stood before: this file is not to blame.
    if (line > 0) yield { line, ...DESCRIPTIONS[kind](subject, other) };
  }
}

/** The last row that speaks of each device and assignment. */
function linesOf(merge: CsvMerge): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  for (const { line, device, assignment } of merge.rows) {
    if (device !== null) lines.set(device, line);
    if (assignment !== null) lines.set(assignment, line);
  }
  return lines;
}

function incomplete(device: Device, keys: DeviceKeys, line: number): CsvFault[] {
  if (device.lorawan === 'otaa' && device.devEui === '') {
    return [
      {
        code: 'EUI_MISSING',
        line,
        column: 'dev_eui',
        message: {
          en: 'An OTAA device needs its dev_eui: it is printed on the device.',
          fr: "Un appareil OTAA a besoin de son dev_eui : il est imprimé sur l'appareil.",
        },
      },
    ];
  }
  if (device.lorawan !== 'abp') return [];
  const missing = [
    device.devAddr === '' ? 'dev_addr' : '',
    keys.nwkSKey === '' ? 'nwk_s_key' : '',
    keys.appSKey === '' ? 'app_s_key' : '',
  ].filter((column) => column !== '');
  return missing.map((column) => ({
    code: 'KEYS_MISSING',
    line,
    column,
    message: {
      en: `An ABP device needs ${column}: without it no frame of the device can be read.`,
      fr: `Un appareil ABP a besoin de ${column} : sans lui, aucune trame de l'appareil n'est lisible.`,
    },
  }));
}

/** Devices with a LoRaWAN identity that the gateway was not told to listen to. */
export function silentDevices(merge: CsvMerge): CsvNotice[] {
  const rows = merge.rows.filter(({ device: id }) => {
    const device = id === null ? undefined : merge.devices.get(id)?.device;
    return device !== undefined && device.lorawan === null && (device.devEui !== '' || device.devAddr !== '');
  });
  const [first] = rows;
  if (first === undefined) return [];
  return [
    {
      code: 'LORAWAN_MISSING',
      line: first.line,
      message: {
        en: `${rows.length} rows have a dev_eui or dev_addr but no "lorawan" (otaa or abp): these devices will not be heard.`,
        fr: `${rows.length} lignes ont un dev_eui ou un dev_addr mais pas de « lorawan » (otaa ou abp) : ces appareils ne seront pas entendus.`,
      },
    },
  ];
}

const DESCRIPTIONS: Readonly<Record<Conflict['kind'], (subject: string, other: string) => Omit<CsvFault, 'line'>>> = {
  'same-eui': (subject, other) => ({
    code: 'EUI_TWICE',
    column: 'dev_eui',
    message: {
      en: `The devices "${other}" and "${subject}" have the same dev_eui: one of them is mistyped.`,
      fr: `Les appareils « ${other} » et « ${subject} » ont le même dev_eui : l'un des deux est mal saisi.`,
    },
  }),
  'same-session': (subject, other) => ({
    code: 'SESSION_TWICE',
    column: 'dev_addr',
    message: {
      en: `The devices "${other}" and "${subject}" have the same dev_addr and network key: their frames cannot be told apart.`,
      fr: `Les appareils « ${other} » et « ${subject} » ont les mêmes dev_addr et clé réseau : leurs trames sont indiscernables.`,
    },
  }),
  reversed: (subject) => ({
    code: 'PERIOD_REVERSED',
    column: 'to',
    message: {
      en: `"to" must be later than "from" (${fromOf(subject)}).`,
      fr: `« to » doit être postérieur à « from » (${fromOf(subject)}).`,
    },
  }),
  overlap: (subject, other) => ({
    code: 'OVERLAP',
    column: 'from',
    message: {
      en: `The device hangs at "${placeOf(other)}" since ${fromOf(other)} and at "${placeOf(subject)}" since ${fromOf(subject)} at once: give the earlier one its "to".`,
      fr: `L'appareil est à la fois à « ${placeOf(other)} » depuis ${fromOf(other)} et à « ${placeOf(subject)} » depuis ${fromOf(subject)} : indiquez le « to » du plus ancien.`,
    },
  }),
};

const placeOf = (assignment: string): string => assignment.split('\u001f')[0] ?? '';
const fromOf = (assignment: string): string => rfc3339(Number(assignment.split('\u001f')[2]));
