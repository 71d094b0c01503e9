import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';

const DOCUMENT = join(import.meta.dirname, '../../docs/benchmarks.md');

export interface Table {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  readonly note?: string;
}

/** As few digits as say something. */
export const figure = (value: number): string => {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(Math.abs(value) >= 10 ? 3 : 2)));
};

const line = (cells: readonly (string | number)[]): string =>
  `| ${cells.map((cell) => (typeof cell === 'number' ? figure(cell) : cell)).join(' | ')} |`;

export const markdown = ({ title, header, rows, note }: Table): string =>
  [
    `### ${title}`,
    '',
    line(header),
    line(header.map(() => '---')),
    ...rows.map(line),
    ...(note === undefined ? [] : ['', note]),
  ].join('\n');

export function machine(): string {
  const [cpu] = cpus();
  const disk =
    execFileSync('df', ['--output=source,fstype', '/tmp'], { encoding: 'utf8' }).trim().split('\n').at(-1) ?? '';
  return [
    `${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GB`,
    `Linux ${release()}`,
    `Node ${process.version} ${process.arch}`,
    `disk ${disk.replaceAll(/\s+/g, ' ')}`,
  ].join('; ');
}

/** Prints the tables and puts them into docs/benchmarks.md, between the marks of `section`. */
export function publish(section: string, command: string, tables: readonly Table[]): void {
  const text = [
    `\`${command}\`, ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, ${machine()}`,
    ...tables.map(markdown),
  ].join('\n\n');
  console.log(text);
  const document = readFileSync(DOCUMENT, 'utf8');
  const [begin, end] = [`<!-- begin ${section} -->`, `<!-- end ${section} -->`];
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from === -1 || to === -1) throw new Error(`docs/benchmarks.md has no marks for ${section}`);
  writeFileSync(DOCUMENT, `${document.slice(0, from + begin.length)}\n${text}\n${document.slice(to)}`);
}
