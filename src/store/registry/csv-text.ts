import type { CsvFault, CsvNotice } from './csv-faults.ts';

/** Far above 50,000 rows of a registry; a larger file is something else. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;

export interface CsvText {
  readonly text: string;
  readonly faults: readonly CsvFault[];
  readonly notices: readonly CsvNotice[];
}

/** Bytes of a CSV file as text: UTF-8 with or without byte order mark, else Windows-1252 (what French Excel saves as "CSV"). */
export function decodeCsv(bytes: Uint8Array): CsvText {
  if (bytes.length > MAX_FILE_BYTES) {
    return refused(
      'FILE_TOO_LARGE',
      'The file is larger than 8 MiB: split it.',
      'Le fichier dépasse 8 Mio : découpez-le.',
    );
  }
  if (isForeignFormat(bytes)) {
    return refused(
      'FILE_NOT_CSV',
      'This is not a CSV file: in the spreadsheet, choose "Save as", type "CSV UTF-8".',
      "Ce n'est pas un fichier CSV : dans le tableur, choisissez « Enregistrer sous », type « CSV UTF-8 ».",
    );
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), faults: [], notices: [] };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { text: new TextDecoder('windows-1252').decode(bytes), faults: [], notices: [NOT_UTF8] };
  }
}

/** A workbook (zip) or "Unicode text" (UTF-16): both hold zero bytes or begin like a zip. */
const isForeignFormat = (bytes: Uint8Array): boolean => (bytes[0] === 0x50 && bytes[1] === 0x4b) || bytes.includes(0);

const NOT_UTF8: CsvNotice = {
  code: 'NOT_UTF8',
  line: 0,
  message: {
    en: 'The file is not UTF-8: it was read as Windows-1252. Check the accents; next time save as "CSV UTF-8".',
    fr: "Le fichier n'est pas en UTF-8 : il a été lu comme Windows-1252. Vérifiez les accents ; la prochaine fois, enregistrez en « CSV UTF-8 ».",
  },
};

const refused = (code: CsvFault['code'], en: string, fr: string): CsvText => ({
  text: '',
  faults: [{ code, line: 0, column: '', message: { en, fr } }],
  notices: [],
});
