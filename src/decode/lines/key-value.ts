import type { SerialSourceSettings } from '../../model/plan.ts';
import { findQuantity } from '../../model/quantity.ts';
import { splitFields } from './fields.ts';
import { SDI12_CRC_LENGTH, sdi12Crc } from './line-checksum.ts';
import { isRefusal, plainValue, refuse, type LineReader, type RawValue, type Refusal } from './reading.ts';
import { unitOfLetter, VAISALA_LETTERS } from './unit-letters.ts';

/** `0R1,` `0r3,`: address, R, message number; a lower-case r says that three CRC characters end the line. `0TX,`: a text. */
const VAISALA_HEAD = /^[0-9A-Za-z](?:([Rr])\d?|TX),/;
const VAISALA_VALUE = /^([+-]?\d+(?:\.\d+)?)([A-Za-z#])$/;
const INVALID_LETTER = '#';

/** `key=value` fields; the messages of Vaisala WXT weather transmitters, with unit letters and CRC, are known. */
export function createKeyValueReader(settings: SerialSourceSettings): LineReader {
  const { separator, address, checksum } = settings;
  const targets = settings.channels.map(({ key, quantity }) => ({ key, unit: findQuantity(quantity)?.unit ?? '' }));

  const read = (text: string): ReturnType<LineReader['read']> => {
    const vaisala = separator === ',' ? VAISALA_HEAD.exec(text) : null;
    const isVaisala = vaisala !== null;
    const hasCrc = vaisala?.[1] === 'r';
    if (checksum === 'required' && !hasCrc) return refuse('missing-checksum', 'the line carries no CRC');
    const body = hasCrc ? removeCrc(text, checksum) : text;
    if (typeof body !== 'string') return body;
    const parts = splitFields(body, separator);
    const head = parts[0]?.trim() ?? '';
    if (address !== '' && !(isVaisala ? head.startsWith(address) : head === address)) return 'other-address';
    const fields = collect(parts);
    if (!(fields instanceof Map)) return fields;
    const values: (RawValue | undefined)[] = [];
    for (const { key, unit } of targets) {
      const field = fields.get(key);
      const value = field === undefined || !isVaisala ? plain(field) : vaisalaValue(key, field, unit);
      if (value !== undefined && isRefusal(value)) return value;
      values.push(value);
    }
    return { values };
  };
  return { read };
}

const plain = (field: string | undefined): RawValue | undefined =>
  field === undefined ? undefined : plainValue(field);

/** The CRC goes before anything is split: its characters may be any of `@` to DEL. */
function removeCrc(text: string, checksum: SerialSourceSettings['checksum']): string | Refusal {
  const body = text.slice(0, -SDI12_CRC_LENGTH);
  const given = text.slice(-SDI12_CRC_LENGTH);
  const computed = sdi12Crc(body);
  if (checksum === 'none' || given === computed) return body;
  return refuse('bad-checksum', `${given} stands, ${computed} is right`);
}

/** Fields by key. Two messages that overlapped on the line show as a field with two `=`, or a key that comes twice. */
function collect(parts: readonly string[]): Map<string, string> | Refusal {
  const fields = new Map<string, string>();
  for (const part of parts) {
    const at = part.indexOf('=');
    if (at === -1) continue;
    const key = part.slice(0, at).trim();
    const value = part.slice(at + 1).trim();
    if (value.includes('=')) return refuse('malformed', `two values in one field: ${part}`);
    if (fields.has(key)) return refuse('malformed', `${key} comes twice`);
    fields.set(key, value);
  }
  return fields;
}

function vaisalaValue(key: string, field: string, target: string): RawValue | Refusal {
  const [, value, letter] = VAISALA_VALUE.exec(field) ?? [];
  if (value === undefined || letter === undefined) return refuse('malformed', `${key}=${field} has no unit letter`);
  const isInvalid = letter === INVALID_LETTER;
  return { value, unit: isInvalid ? '' : unitOfLetter(VAISALA_LETTERS, target, letter), isInvalid };
}
