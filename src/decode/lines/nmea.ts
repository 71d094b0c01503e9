import type { SerialSourceSettings } from '../../model/plan.ts';
import { findQuantity } from '../../model/quantity.ts';
import { xorChecksum } from './line-checksum.ts';
import { isIndex, isRefusal, refuse, type LineReader, type RawValue, type Refusal } from './reading.ts';
import { NMEA_LETTERS, unitOfLetter } from './unit-letters.ts';

/** `$`, talker and sentence type, fields, and the checksum where it stands. `P…` is a manufacturer's own sentence. */
const SENTENCE = /^[$!]([A-Z0-9]{3,8}),([^*]*)(?:\*(.*))?$/;
const TYPE_LENGTH = 3;

/** Field that says whether the sentence holds (`A`) by sentence type: NMEA 0183 4.10. */
const STATUS_FIELD: Readonly<Record<string, number>> = { MWV: 5, RMC: 2, GLL: 6 };
const STATUS_VALID = 'A';

/** Fields of one transducer in XDR: type, value, unit, name (a last name may be left out). */
const TRANSDUCER_FIELDS = 4;

interface Key {
  readonly type: string;
  /** Number from 1, or in XDR a transducer's name or type. */
  readonly field: string;
  /** Unit of the channel's quantity. */
  readonly target: string;
  /** Whether the channel says which unit the device speaks. */
  readonly hasUnit: boolean;
}

/**
 * NMEA 0183. A channel's key is `MWV:1`, sentence type and number of the field from 1, whoever talks; in XDR
 * `XDR:TEMP` or `XDR:C`, name or type of the transducer. `address` is the beginning of the address field (`WI`).
 */
export function createNmeaReader(settings: SerialSourceSettings): LineReader {
  const keys = settings.channels.map(({ key, quantity, unit }): Key => {
    const [type = '', field = ''] = key.split(':', 2);
    return { type, field, target: findQuantity(quantity)?.unit ?? '', hasUnit: unit !== '' };
  });

  return {
    read(text) {
      const sentence = parse(text, settings.checksum);
      if (isRefusal(sentence)) return sentence;
      const { head, fields } = sentence;
      if (!head.startsWith(settings.address)) return 'other-address';
      const type = head.startsWith('P') ? head : head.slice(-TYPE_LENGTH);
      const status = STATUS_FIELD[type] ?? 0;
      const isInvalid = status > 0 && fields[status - 1] !== STATUS_VALID;
      const values: (RawValue | undefined)[] = [];
      for (const key of keys) {
        const value = key.type === type ? valueOf(key, fields, isInvalid) : undefined;
        if (value !== undefined && isRefusal(value)) return value;
        values.push(value);
      }
      return { values };
    },
  };
}

interface Sentence {
  readonly head: string;
  readonly fields: readonly string[];
}

/** What stands before the last `$` is the rest of a sentence that was cut off. */
function parse(text: string, checksum: SerialSourceSettings['checksum']): Sentence | Refusal {
  const start = Math.max(text.lastIndexOf('$'), text.lastIndexOf('!'), 0);
  const line = text.slice(start).trimEnd();
  const [, head, body, given] = SENTENCE.exec(line) ?? [];
  if (head === undefined || body === undefined) return refuse('malformed', 'not an NMEA sentence');
  if (checksum !== 'none') {
    if (given === undefined && checksum === 'required') return refuse('missing-checksum', 'no * and checksum');
    const computed = xorChecksum(`${head},${body}`);
    if (given !== undefined && given.toUpperCase() !== computed) {
      return refuse('bad-checksum', `${given} stands, ${computed} is right`);
    }
  }
  return { head, fields: body.split(',') };
}

function valueOf(key: Key, fields: readonly string[], isInvalid: boolean): RawValue | Refusal | undefined {
  if (key.type === 'XDR' && !isIndex(key.field)) return transducer(key, fields);
  const at = Number(key.field);
  const value = fields[at - 1];
  if (value === undefined) return undefined;
  const unit = followingUnit(key.target, fields[at]);
  if (unit === '' && key.target === 'm/s' && !key.hasUnit && value !== '') {
    return refuse('bad-value', `${key.type}:${key.field} does not say its unit: set it on the channel`);
  }
  return { value, unit, isInvalid };
}

/** A unit stands in the field behind its value; other letters there (`R` relative, `T` true) are none. */
const followingUnit = (target: string, letter: string | undefined): string =>
  letter === undefined ? '' : (NMEA_LETTERS[target]?.[letter] ?? '');

/** A name is looked for before a type, since names are chosen on the device. */
function transducer(key: Key, fields: readonly string[]): RawValue | undefined {
  let byType: number | undefined;
  for (let at = 0; at + 2 < fields.length; at += TRANSDUCER_FIELDS) {
    if (fields[at + 3] === key.field) return transducerValue(key, fields, at);
    if (fields[at] === key.field) byType ??= at;
  }
  return byType === undefined ? undefined : transducerValue(key, fields, byType);
}

const transducerValue = (key: Key, fields: readonly string[], at: number): RawValue => ({
  value: fields[at + 1] ?? '',
  unit: unitOfLetter(NMEA_LETTERS, key.target, fields[at + 2] ?? ''),
  isInvalid: false,
});
