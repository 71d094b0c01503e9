import type { SerialSourceSettings } from '../../model/plan.ts';
import { SDI12_CRC_LENGTH, sdi12Crc } from './line-checksum.ts';
import { compilePattern } from './pattern.ts';
import { isIndex, refuse, type LineReader, type RawValue, type Refusal } from './reading.ts';

/** Of a line that is matched: what a pattern may cost grows with it. */
const MAX_CHARACTERS = 1024;

type Groups = Readonly<Record<string, string | undefined>>;
const NO_GROUPS: Groups = {};

/**
 * A pattern of the technician's. A channel's key is a group's name or number. Named groups with a meaning: `NAME_unit`
 * or `unit` is the unit of the value, `address` the device's address, `invalid` marks the values of the line as such
 * when it matches something. `checksum: required` means an SDI-12 CRC: checked and removed before the match.
 */
export function createRegexReader(settings: SerialSourceSettings): LineReader {
  const { address, checksum, channels } = settings;
  const match = compilePattern(settings.pattern, settings.nodeId);
  const keys = channels.map((channel) => channel.key);

  return {
    read(text) {
      if (text.length > MAX_CHARACTERS) return refuse('malformed', `longer than ${MAX_CHARACTERS} characters`);
      const body = checksum === 'required' ? removeCrc(text) : text;
      if (typeof body !== 'string') return body;
      const found = match(body);
      if (found === 'timeout') return refuse('decoder-error', 'the pattern takes too long: simplify its repetitions');
      if (found === null) {
        const isOther = address !== '' && !body.startsWith(address);
        return isOther ? 'other-address' : refuse('malformed', 'the line does not match the pattern');
      }
      const groups = found.groups ?? NO_GROUPS;
      if (address !== '' && !isFrom(address, groups, body)) return 'other-address';
      return { values: keys.map((key) => valueOf(key, found, groups)) };
    },
  };
}

const isFrom = (address: string, groups: Groups, line: string): boolean =>
  groups['address'] === undefined ? line.startsWith(address) : groups['address'] === address;

function valueOf(key: string, found: readonly (string | undefined)[], groups: Groups): RawValue | undefined {
  const value = isIndex(key) ? found[Number(key)] : groups[key];
  const isInvalid = (groups['invalid'] ?? '') !== '';
  if (value === undefined) return undefined;
  return { value, unit: (groups[`${key}_unit`] ?? groups['unit'] ?? '').trim(), isInvalid };
}

function removeCrc(text: string): string | Refusal {
  if (text.length <= SDI12_CRC_LENGTH) return refuse('missing-checksum', 'too short for a CRC');
  const body = text.slice(0, -SDI12_CRC_LENGTH);
  const given = text.slice(-SDI12_CRC_LENGTH);
  if (!/^[@-\u007f]{3}$/.test(given)) return refuse('missing-checksum', 'no CRC ends the line');
  const computed = sdi12Crc(body);
  return given === computed ? body : refuse('bad-checksum', `${given} stands, ${computed} is right`);
}
