/** Letters that stand for units in a format, by the unit of the quantity they carry: `M` is m/s for wind and mm for rain. */
export type UnitLetters = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Vaisala WXT510/520/530 user guides, "Units". `N W F` behind a heating voltage tell the heater's state. */
export const VAISALA_LETTERS: UnitLetters = {
  '°C': { C: '°C', F: '°F' },
  '%': { P: '%' },
  hPa: { H: 'hPa', P: 'Pa', B: 'bar', M: 'mmHg', I: 'inHg' },
  'm/s': { M: 'm/s', K: 'km/h', S: 'mph', N: 'kn' },
  '°': { D: '°' },
  mm: { M: 'mm', I: 'in' },
  V: { V: 'V', N: 'V', W: 'V', F: 'V' },
  Ω: { R: 'Ω' },
};

/** NMEA 0183 4.x: unit fields of MWV, MWD, MDA, MTW and of XDR transducers. */
export const NMEA_LETTERS: UnitLetters = {
  '°C': { C: '°C', F: '°F', K: 'K' },
  '%': { P: '%' },
  hPa: { B: 'bar', P: 'Pa', H: 'hPa', I: 'inHg' },
  'm/s': { N: 'kn', M: 'm/s', K: 'km/h', S: 'mph' },
  '°': { D: '°' },
  V: { V: 'V' },
  m: { M: 'm' },
};

/**
 * The unit that a letter stands for where a value in `target` is expected. A letter of another kind of quantity is given
 * back as it is, so that it is refused and named; a quantity without unit takes any.
 */
export function unitOfLetter(letters: UnitLetters, target: string, letter: string): string {
  if (target === '1') return '';
  return letters[target]?.[letter] ?? letter;
}
