import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMAND_NAMES, loadCommand } from '../../src/cli/commands.ts';
import { EXIT, EXIT_BY_CODE } from '../../src/cli/exit-codes.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/commands.md'), 'utf8');
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.split('\n')[0] as string, section]),
);
const optionsIn = (text: string): string[] => [...new Set(text.match(/--[a-z][a-z-]*/g))].toSorted();
const COMMON = new Set(['--data', '--json', '--help', '--version']);

describe('docs/commands.md', () => {
  it('has a section for each command, and for nothing else', () => {
    expect([...sections.keys()].filter((name) => name !== 'Exit codes').toSorted()).toEqual(COMMAND_NAMES.toSorted());
  });

  it.each(COMMAND_NAMES)('names the options of %s that its usage names, and no others', async (name) => {
    const command = await loadCommand(name);
    const used = optionsIn(command?.usage.en ?? '').filter((option) => !COMMON.has(option));
    const documented = optionsIn(sections.get(name) ?? '').filter((option) => !COMMON.has(option));
    expect(documented).toEqual(used);
  });

  it.each(COMMAND_NAMES)('the French usage of %s has the same options as the English', async (name) => {
    const command = await loadCommand(name);
    expect(optionsIn(command?.usage.fr ?? '')).toEqual(optionsIn(command?.usage.en ?? ''));
  });

  it('lists every exit code with the error codes that lead to it', () => {
    const rows = [...(sections.get('Exit codes') ?? '').matchAll(/^\| (\d+) \|.*\| ([^|]*)\|$/gm)];
    expect(rows.map((row) => Number(row[1])).toSorted((a, b) => a - b)).toEqual(Object.values(EXIT));
    for (const row of rows) {
      const exit = Number(row[1]);
      const wanted = Object.entries(EXIT_BY_CODE).filter(([, code]) => code === exit);
      const documented = [...(row[2] ?? '').matchAll(/`([A-Z_]+)`/g)].map(([, code = '']) => code);
      expect(documented.toSorted(), String(exit)).toEqual(wanted.map(([code]) => code).toSorted());
    }
  });
});
