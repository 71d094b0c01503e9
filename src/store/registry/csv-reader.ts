import type { CsvFault, CsvNotice } from './csv-faults.ts';
import { decodeCsv } from './csv-text.ts';

const MAX_ROWS = 50_000;
/** Characters of one row with its quotes. */
const MAX_ROW_LENGTH = 64 * 1024;

export type Separator = ';' | ',';

export interface CsvRow {
  /** Line of the file on which the row begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

export interface CsvTable {
  readonly separator: Separator;
  /** Without rows whose cells are all empty; the first is the header. */
  readonly rows: readonly CsvRow[];
  readonly faults: readonly CsvFault[];
  readonly notices: readonly CsvNotice[];
}

/** A CSV file (RFC 4180, with `;` as well as `,`) as rows. Never throws: what cannot be read is a fault with its line. */
export function readCsv(bytes: Uint8Array): CsvTable {
  const { text, faults, notices } = decodeCsv(bytes);
  const separator = separatorOf(text);
  const scan = new Scan(text, separator);
  const rows = faults.length > 0 ? [] : scan.rows();
  return { separator, rows, faults: [...faults, ...scan.faults], notices };
}

/** The separator that the first row holds more of, outside quotes. Excel's own hint line `sep=;` decides at once. */
function separatorOf(text: string): Separator {
  const hint = /^\s*sep=([;,])/i.exec(text)?.[1];
  if (hint !== undefined) return hint === ';' ? ';' : ',';
  const header = /^\s*((?:"[^"]*"|[^"\r\n])*)/.exec(text.slice(0, MAX_ROW_LENGTH))?.[1] ?? '';
  const bare = header.replaceAll(/"[^"]*"/g, '');
  return bare.split(';').length > bare.split(',').length ? ';' : ',';
}

/** One pass over the text. */
class Scan {
  readonly faults: CsvFault[] = [];
  readonly #text: string;
  readonly #separator: Separator;
  #at = 0;
  #line = 1;

  constructor(text: string, separator: Separator) {
    this.#text = text;
    this.#separator = separator;
  }

  rows(): CsvRow[] {
    const rows: CsvRow[] = [];
    while (this.#at < this.#text.length) {
      const line = this.#line;
      const cells = this.#row();
      if (cells === undefined) break;
      if (cells.every((cell) => cell.trim() === '') || (rows.length === 0 && isHint(cells))) continue;
      if (rows.length > MAX_ROWS) {
        this.#refuse(
          'TOO_MANY_ROWS',
          line,
          'More than 50,000 rows: split the file.',
          'Plus de 50 000 lignes : découpez le fichier.',
        );
        break;
      }
      rows.push({ line, cells });
    }
    return rows;
  }

  /** The cells up to the end of the row; undefined when reading cannot go on. */
  #row(): string[] | undefined {
    const start = this.#at;
    const line = this.#line;
    const cells: string[] = [];
    for (;;) {
      const cell = this.#text[this.#at] === '"' ? this.#quoted(line) : this.#bare();
      if (cell === undefined) return undefined;
      cells.push(cell);
      if (this.#at - start > MAX_ROW_LENGTH) {
        this.#refuse(
          'ROW_TOO_LONG',
          line,
          'The row is longer than 64 kB: look for a quotation mark that is not closed.',
          "La ligne dépasse 64 ko : cherchez un guillemet qui n'est pas fermé.",
        );
        return undefined;
      }
      if (this.#text[this.#at] === this.#separator) this.#at++;
      else break;
    }
    this.#endOfLine();
    return cells;
  }

  #bare(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !this.#endsCell(this.#text[this.#at])) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  #quoted(rowLine: number): string | undefined {
    const start = this.#at + 1;
    let end = start;
    for (;;) {
      end = this.#text.indexOf('"', end);
      if (end === -1 || end - start > MAX_ROW_LENGTH) {
        this.#refuse(
          'QUOTE_OPEN',
          this.#line,
          'A quotation mark opens here and is not closed.',
          "Un guillemet s'ouvre ici et n'est pas fermé.",
        );
        return undefined;
      }
      if (this.#text[end + 1] !== '"') break;
      end += 2;
    }
    const cell = this.#text.slice(start, end);
    this.#line += countLines(cell);
    this.#at = end + 1;
    if (this.#at < this.#text.length && !this.#endsCell(this.#text[this.#at])) this.#skipRestOfCell(rowLine);
    return cell.replaceAll('""', '"');
  }

  #skipRestOfCell(rowLine: number): void {
    this.#refuse(
      'QUOTE_MISPLACED',
      rowLine,
      'Text follows a closing quotation mark: double the quotation marks inside a cell.',
      "Du texte suit un guillemet fermant : doublez les guillemets à l'intérieur d'une cellule.",
    );
    this.#bare();
  }

  #endsCell(character: string | undefined): boolean {
    return character === this.#separator || character === '\n' || character === '\r';
  }

  #endOfLine(): void {
    if (this.#text[this.#at] === '\r') this.#at++;
    if (this.#text[this.#at] === '\n') this.#at++;
    this.#line++;
  }

  #refuse(code: CsvFault['code'], line: number, en: string, fr: string): void {
    this.faults.push({ code, line, column: '', message: { en, fr } });
  }
}

const isHint = (cells: readonly string[]): boolean => /^\s*sep=/i.test(cells[0] ?? '');

const countLines = (text: string): number => text.match(/\r\n|\r|\n/g)?.length ?? 0;
