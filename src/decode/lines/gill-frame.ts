import type { SerialSourceSettings } from '../../model/plan.ts';
import { xorChecksum } from './line-checksum.ts';
import { refuse, type Refusal } from './reading.ts';

const STX = '\u0002';
const ETX = '\u0003';

/**
 * The inside of `<STX>…<ETX>hh` (Gill MetPak, MaxiMet, WindSonic: XOR between STX and ETX), or the text itself where
 * there is no such frame. What stands before the last STX is a line that was cut off.
 */
export function unframe(text: string, checksum: SerialSourceSettings['checksum']): string | Refusal {
  const start = text.lastIndexOf(STX);
  const end = text.indexOf(ETX, start + 1);
  if (start === -1 && end === -1) {
    return checksum === 'required' ? refuse('missing-checksum', 'no STX, ETX and checksum') : text;
  }
  if (start === -1 || end === -1) return refuse('malformed', 'STX and ETX do not stand together');
  const inside = text.slice(start + 1, end);
  const given = text.slice(end + 1).trim();
  if (checksum === 'none' || (given === '' && checksum === 'auto')) return inside;
  if (given === '') return refuse('missing-checksum', 'nothing follows ETX');
  const computed = xorChecksum(inside);
  return given.toUpperCase() === computed ? inside : refuse('bad-checksum', `${given} stands, ${computed} is right`);
}
