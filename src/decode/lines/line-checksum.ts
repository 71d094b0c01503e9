/** XOR of the characters, as two upper-case hex digits (NMEA 0183; Gill ASCII, between STX and ETX). */
export function xorChecksum(text: string): string {
  let sum = 0;
  for (let index = 0; index < text.length; index += 1) sum ^= text.charCodeAt(index);
  return sum.toString(16).toUpperCase().padStart(2, '0');
}

/** Length of an SDI-12 CRC at the end of a line. */
export const SDI12_CRC_LENGTH = 3;

const POLYNOMIAL = 0xa001;
const SIX_BITS = 0x3f;

/** SDI-12 1.4 §4.4.12: CRC-16 (polynomial 0xA001 reflected, initial 0) as three printable characters. Vaisala WXT uses the same. */
export function sdi12Crc(text: string): string {
  let crc = 0;
  for (let index = 0; index < text.length; index += 1) {
    crc ^= text.charCodeAt(index);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >> 1 : (crc >> 1) ^ POLYNOMIAL;
  }
  return String.fromCharCode(0x40 | (crc >> 12), 0x40 | ((crc >> 6) & SIX_BITS), 0x40 | (crc & SIX_BITS));
}
