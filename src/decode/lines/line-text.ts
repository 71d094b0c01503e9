const STX = 0x02;
const ETX = 0x03;
const TAB = 0x09;
const DEL = 0x7f;

/** Bytes that a line driver's switching puts before a line, and that no format begins with. */
const isSwitchingNoise = (byte: number | undefined): boolean => byte === 0 || byte === DEL || byte === 0xff;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The text of a line; null when it is none: control characters (but TAB, and STX and ETX that frame some formats), or
 * bytes that are not UTF-8, which are refused rather than replaced. DEL may stand in an SDI-12 CRC.
 */
export function lineText(bytes: Uint8Array): string | null {
  let start = 0;
  while (isSwitchingNoise(bytes[start])) start += 1;
  let isAscii = true;
  for (let index = start; index < bytes.length; index += 1) {
    const byte = bytes[index] ?? 0;
    if (byte < 0x20 && byte !== TAB && byte !== STX && byte !== ETX) return null;
    if (byte > DEL) isAscii = false;
  }
  const line = Buffer.from(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
  return isAscii ? line.toString('latin1') : utf8Text(line);
}

function utf8Text(line: Uint8Array): string | null {
  try {
    return strictUtf8.decode(line);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
