import { type Cell, bad, excerpt, good } from './csv-faults.ts';

/** What a spreadsheet makes of a long number: `7,00E+15`. */
const SCIENTIFIC = /^\d+(?:[.,]\d+)?E[+-]?\d+$/i;
const AS_TEXT = {
  en: 'format the column as "Text" before typing or pasting, then enter the value again',
  fr: 'mettez la colonne au format « Texte » avant de saisir ou de coller, puis entrez à nouveau la valeur',
};

interface HexKind {
  readonly digits: 8 | 16 | 32;
  /** A secret is never quoted in a message. */
  readonly isSecret: boolean;
}

export const EUI: HexKind = { digits: 16, isSecret: false };
export const DEV_ADDR: HexKind = { digits: 8, isSecret: false };
export const KEY: HexKind = { digits: 32, isSecret: true };

/** Hex digits with or without `-`, `:` and spaces between them, as lower-case digits. */
export function parseHex(text: string, { digits, isSecret }: HexKind): Cell<string> {
  const value = text.replaceAll(/[-:\s]/g, '').toLowerCase();
  if (value.length === digits && /^[0-9a-f]+$/.test(value)) return good(value);
  const shown = isSecret ? '' : `"${excerpt(text)}": `;
  const shownFr = isSecret ? '' : `« ${excerpt(text)} » : `;
  if (SCIENTIFIC.test(text.replaceAll(/\s/g, ''))) {
    return bad(
      'HEX_DAMAGED',
      `${shown}a spreadsheet turned the digits into a number: ${AS_TEXT.en}.`,
      `${shownFr}le tableur a transformé les chiffres en nombre : ${AS_TEXT.fr}.`,
    );
  }
  if (/[^0-9a-f]/.test(value)) {
    return bad(
      'HEX_INVALID',
      `${shown}only the digits 0-9 and A-F are allowed here.`,
      `${shownFr}seuls les chiffres 0-9 et A-F sont admis ici.`,
    );
  }
  if (value.length < digits && /^\d+$/.test(value)) {
    return bad(
      'HEX_DAMAGED',
      `${shown}${value.length} digits instead of ${digits}: a spreadsheet drops leading zeros; ${AS_TEXT.en}.`,
      `${shownFr}${value.length} chiffres au lieu de ${digits} : le tableur supprime les zéros en tête ; ${AS_TEXT.fr}.`,
    );
  }
  return bad(
    'HEX_LENGTH',
    `${shown}${value.length} digits instead of ${digits}.`,
    `${shownFr}${value.length} chiffres au lieu de ${digits}.`,
  );
}
