const MAX_CHARACTERS = 200;
const ELLIPSIS = '…';

const escapeByte = (byte: number): string =>
  byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;

/** The beginning of a line for people: printable ASCII as it stands, every other byte as `\xHH`, at most 200 characters. */
export function excerptOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes.subarray(0, MAX_CHARACTERS)) {
    const next = escapeByte(byte);
    if (text.length + next.length > MAX_CHARACTERS - ELLIPSIS.length) return text + ELLIPSIS;
    text += next;
  }
  return bytes.length > MAX_CHARACTERS ? text + ELLIPSIS : text;
}

/** A sentence cut to the bound of `Rejection.detail`. */
export const boundedDetail = (text: string): string =>
  text.length <= MAX_CHARACTERS ? text : text.slice(0, MAX_CHARACTERS - ELLIPSIS.length) + ELLIPSIS;
