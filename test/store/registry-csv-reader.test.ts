import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCsv } from '../../src/store/registry/csv-reader.ts';

const read = (text: string) => readCsv(Buffer.from(text));
const cells = (text: string) => read(text).rows.map((row) => row.cells);

describe('reading CSV', () => {
  it('takes the separator from the header, outside quotation marks', () => {
    expect(read('a;b\n1,5;2').separator).toBe(';');
    expect(read('a,b\n1;5,2').separator).toBe(',');
    expect(read('"a,b,c,d";e\n').separator).toBe(';');
    expect(cells('a;b\n1,5;2')).toEqual([
      ['a', 'b'],
      ['1,5', '2'],
    ]);
  });

  it("obeys Excel's separator line and leaves it out", () => {
    const table = read('sep=;\r\nplace\r\nx');
    expect(table.separator).toBe(';');
    expect(table.rows).toEqual([
      { line: 2, cells: ['place'] },
      { line: 3, cells: ['x'] },
    ]);
  });

  it('accepts LF, CRLF and a last line without end, and skips empty rows', () => {
    expect(cells('\n\na,b\r\n1,2\n\n;;\n,\r\n3,4')).toEqual([['a', 'b'], ['1', '2'], [';;'], ['3', '4']]);
  });

  it('keeps separators, line breaks and doubled quotation marks inside quoted cells, and the line numbers', () => {
    const table = read('a,b\n"1,\r\n""x""\n",2\n3,4');
    expect(table.faults).toEqual([]);
    expect(table.rows).toEqual([
      { line: 1, cells: ['a', 'b'] },
      { line: 2, cells: ['1,\r\n"x"\n', '2'] },
      { line: 5, cells: ['3', '4'] },
    ]);
  });

  it('drops the byte order mark', () => {
    expect(cells('\uFEFFplace;é')).toEqual([['place', 'é']]);
  });

  it('reads bytes that are not UTF-8 as Windows-1252 and says so', () => {
    const table = readCsv(Buffer.from('place;unit\nH\xf4tel;\xb0C \x80', 'latin1'));
    expect(table.rows[1]?.cells).toEqual(['Hôtel', '°C €']);
    expect(table.notices.map(({ code }) => code)).toEqual(['NOT_UTF8']);
    expect(read('place\nHôtel').notices).toEqual([]);
  });

  it('refuses a workbook and UTF-16 text with advice', () => {
    for (const bytes of [Buffer.from('PK\u0003\u0004rest'), Buffer.from('\uFEFFplace', 'utf16le')]) {
      const { rows, faults } = readCsv(bytes);
      expect(rows).toEqual([]);
      expect(faults.map(({ code }) => code)).toEqual(['FILE_NOT_CSV']);
    }
  });

  it('names the line of a quotation mark that is not closed or is misplaced', () => {
    expect(read('a,b\n1,2\n3,"4\n5,6').faults).toMatchObject([{ code: 'QUOTE_OPEN', line: 3 }]);
    const misplaced = read('a,b\n"1"x,2\n3,4');
    expect(misplaced.faults).toMatchObject([{ code: 'QUOTE_MISPLACED', line: 2 }]);
    expect(misplaced.rows.at(-1)).toEqual({ line: 3, cells: ['3', '4'] });
  });

  it('bounds the file, the rows and the length of a row', () => {
    expect(readCsv(new Uint8Array(8 * 1024 * 1024 + 1)).faults).toMatchObject([{ code: 'FILE_TOO_LARGE' }]);
    const many = read(`place\n${'x\n'.repeat(50_001)}`);
    expect(many.faults).toMatchObject([{ code: 'TOO_MANY_ROWS', line: 50_002 }]);
    expect(many.rows).toHaveLength(50_001);
    expect(read(`place\n${'x\n'.repeat(50_000)}`).faults).toEqual([]);
    expect(read(`place\n${'x'.repeat(65_537)}`).faults).toMatchObject([{ code: 'ROW_TOO_LONG', line: 2 }]);
    expect(read(`place\n"${'x'.repeat(70_000)}"`).faults).toMatchObject([{ code: 'QUOTE_OPEN', line: 2 }]);
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const { rows } = readCsv(bytes);
        for (let index = 1; index < rows.length; index++)
          expect(rows[index]!.line).toBeGreaterThan(rows[index - 1]!.line);
      }),
    );
  });
});
