import type { SerialSourceSettings } from '../../model/plan.ts';
import { splitFields, splitQuoted } from './fields.ts';
import { unframe } from './gill-frame.ts';
import { isIndex, plainValue, refuse, type LineReader, type Reading } from './reading.ts';

/** First field of a Campbell TOA5 table; its header is followed by a line of units and one of processing. */
const TOA5 = 'TOA5';
const TOA5_LINES_AFTER_HEADER = 2;

/**
 * Separated values, quoted or not. A channel's key is a column from `"0"`, or a name that is learnt from the header line:
 * the first one in which one of the names stands. `address` is the first column. STX … ETX and XOR as Gill sensors send.
 */
export function createCsvReader(settings: SerialSourceSettings): LineReader {
  const { separator, address, checksum } = settings;
  const keys = settings.channels.map((channel) => channel.key);
  const names = new Set(keys.filter((key) => !isIndex(key)));
  const needsHeader = names.size > 0 && !keys.some(isIndex);
  let header: ReadonlyMap<string, number> | null = null;
  let headerColumns = 0;
  let isToa5 = false;
  let linesToSkip = 0;

  const isHeader = (fields: readonly string[]): boolean =>
    names.size > 0 && fields.some((field) => names.has(field.trim()));

  const learn = (fields: readonly string[]): Reading => {
    header = new Map(fields.map((field, column) => [field.trim(), column]));
    headerColumns = fields.length;
    linesToSkip = isToa5 ? TOA5_LINES_AFTER_HEADER : 0;
    isToa5 = false;
    return 'no-data';
  };

  const columnOf = (key: string): number => (isIndex(key) ? Number(key) : (header?.get(key) ?? -1));

  const readFields = (fields: readonly string[]): Reading => {
    if (isHeader(fields)) return learn(fields);
    if (linesToSkip > 0) {
      linesToSkip -= 1;
      return 'no-data';
    }
    if (fields[0] === TOA5) {
      isToa5 = true;
      return 'no-data';
    }
    if (address !== '' && fields[0]?.trim() !== address) return 'other-address';
    if (header !== null && fields.length !== headerColumns) {
      return refuse('malformed', `${fields.length} columns, the header has ${headerColumns}`);
    }
    if (header === null && needsHeader) return refuse('no-channel', 'no header line was seen yet');
    const values = keys.map((key) => {
      const field = fields[columnOf(key)];
      return field === undefined ? undefined : plainValue(field);
    });
    return { values };
  };

  return {
    read(text) {
      const line = unframe(text, checksum);
      if (typeof line !== 'string') return line;
      const fields = line.includes('"') ? splitQuoted(line, separator) : splitFields(line, separator);
      return fields === null ? refuse('malformed', 'a quote is not closed') : readFields(fields);
    },
  };
}
