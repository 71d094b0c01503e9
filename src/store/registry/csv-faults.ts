import type { Text } from '../../model/text.ts';

/** What is wrong in a CSV file, by line and column; all faults of a file are reported at once. */
export interface CsvFault {
  readonly code: CsvFaultCode;
  /** First line of the row in the file, from 1; 0 when the file as a whole is meant. */
  readonly line: number;
  /** Name of the column, or empty when the row as a whole is meant. */
  readonly column: string;
  /** What is wrong and what to do. Never shows a key. */
  readonly message: Text;
}

export type CsvFaultCode =
  | 'FILE_TOO_LARGE'
  | 'FILE_NOT_CSV'
  | 'TOO_MANY_ROWS'
  | 'ROW_TOO_LONG'
  | 'QUOTE_OPEN'
  | 'QUOTE_MISPLACED'
  | 'TOO_MANY_CELLS'
  | 'HEADER_MISSING'
  | 'COLUMN_TWICE'
  | 'ID_MISSING'
  | 'TEXT_INVALID'
  | 'NUMBER_INVALID'
  | 'NUMBER_OUT_OF_RANGE'
  | 'WORD_UNKNOWN'
  | 'HEX_DAMAGED'
  | 'HEX_INVALID'
  | 'HEX_LENGTH'
  | 'DURATION_INVALID'
  | 'INSTANT_INVALID'
  | 'CHANNEL_INVALID'
  | 'QUANTITY_UNKNOWN'
  | 'UNIT_UNKNOWN'
  | 'PERIOD_WITHOUT_ASSIGNMENT'
  | 'PERIOD_REVERSED'
  | 'CONTRADICTION'
  | 'EUI_MISSING'
  | 'KEYS_MISSING'
  | 'EUI_TWICE'
  | 'SESSION_TWICE'
  | 'OVERLAP';

/** Worth knowing, but nothing is refused for it. */
export interface CsvNotice {
  readonly code: 'NOT_UTF8' | 'COLUMNS_IGNORED' | 'LORAWAN_MISSING';
  readonly line: number;
  readonly message: Text;
}

/** What is wrong with one cell, before its place in the file is known. */
export interface CellFault {
  readonly code: CsvFaultCode;
  readonly message: Text;
}

/** A cell's meaning, or why it has none. */
export type Cell<T> = { readonly value: T } | { readonly fault: CellFault };

export const good = <T>(value: T): Cell<T> => ({ value });

export const bad = (code: CsvFaultCode, en: string, fr: string): { readonly fault: CellFault } => ({
  fault: { code, message: { en, fr } },
});

const EXCERPT_LENGTH = 40;
/** 16 bytes of hex, with or without separators: a key that slipped into another column. */
const LIKE_A_KEY = /(?:[0-9a-f]{2}[-:\s]?){16,}/gi;

/** A cell's text as it may stand in a message. */
export function excerpt(text: string): string {
  const shown = text.replaceAll(LIKE_A_KEY, '…');
  return shown.length > EXCERPT_LENGTH ? `${shown.slice(0, EXCERPT_LENGTH)}…` : shown;
}
