import { once } from 'node:events';
import type { Language, Text } from '../model/text.ts';
import { systemCode } from '../runtime/errors.ts';

/** Where a command writes: standard output for results, standard error for what people need to know besides. */
export interface Io {
  readonly language: Language;
  out(line: string): void;
  err(line: string): void;
  /** Resolves when the reader of standard output keeps up: a long output waits for it instead of growing in memory. */
  drained(): Promise<void>;
}

export const processIo = (language: Language): Io => ({
  language,
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  drained: async () => {
    if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
  },
});

/** A reader that has what it wanted (`| head`) ends the command quietly, as it does with other commands. */
export function endWithReader(exitCode: number): void {
  process.stdout.on('error', (error) => {
    if (systemCode(error) !== 'EPIPE') throw error;
    process.exit(exitCode);
  });
  process.stderr.on('error', (error) => {
    if (systemCode(error) !== 'EPIPE') throw error;
  });
}

/** A table for people: columns padded to their widest cell. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

export const both = (en: string, fr: string): Text => ({ en, fr });
