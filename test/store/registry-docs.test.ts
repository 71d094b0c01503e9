import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { QUANTITIES } from '../../src/model/quantity.ts';
import { canonicalUnit } from '../../src/model/unit.ts';
import { COLUMNS } from '../../src/store/registry/csv-columns.ts';
import { imported } from './registry-inventory.ts';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/registry.md'), 'utf8');
const section = (title: string): string => page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
const firstCells = (title: string): string[] =>
  section(title)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''));

describe('docs/registry.md', () => {
  it('explains exactly the columns there are', () => {
    expect(firstCells('Columns')).toEqual([...COLUMNS]);
  });

  it('lists exactly the fault codes there are', () => {
    const source = readFileSync(join(ROOT, 'src/store/registry/csv-faults.ts'), 'utf8');
    const union = source.split('export type CsvFaultCode =')[1]?.split(';')[0] ?? '';
    const codes = [...union.matchAll(/'([A-Z_0-9]+)'/g)].map((match) => match[1]);
    expect(codes.length).toBeGreaterThan(20);
    expect(new Set(firstCells('Faults'))).toEqual(new Set(codes));
    expect(firstCells('Faults')).toHaveLength(codes.length);
  });

  it('lists exactly the quantities of the catalogue, with their units', () => {
    expect(section('Quantities').match(/^\| `.*$/gm)).toEqual(
      QUANTITIES.map(({ id, unit, name }) => `| \`${id}\` | ${unit} | ${name.en} | ${name.fr} |`),
    );
  });

  it('names only units that are known', () => {
    const line = page.split('Units that convert: ')[1]?.split('. Common spellings')[0] ?? '';
    const names = line
      .replaceAll(/\([^()]*;[^()]*(?:\n[^()]*)?\)/g, '')
      .split(/[\s·]+/)
      .filter((name) => name !== '');
    expect(names.length).toBeGreaterThan(25);
    expect(names.filter((name) => canonicalUnit(name) === undefined)).toEqual([]);
  });

  it('shows an example that imports', () => {
    const example = page.split('```csv\n')[1]?.split('```')[0] ?? '';
    const { places, devices, assignments } = imported(example);
    expect([places.length, devices.length, assignments.length]).toEqual([2, 2, 2]);
  });
});
