import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FAULT_CODES, NOTICE_CODES } from '../../src/flow/fault-codes.ts';
import { LATER_NODE_TYPES, NODE_TYPES } from '../../src/flow/node-types.ts';

const DOCUMENT = readFileSync(join(import.meta.dirname, '../../docs/nodes.md'), 'utf8');

/** The lines of the section under a heading, up to the next heading of any level. */
function section(heading: string): string[] {
  const lines = DOCUMENT.split('\n');
  const from = lines.indexOf(heading);
  expect(from, `docs/nodes.md has no heading "${heading}"`).toBeGreaterThan(-1);
  const rest = lines.slice(from + 1);
  const to = rest.findIndex((line) => line.startsWith('#'));
  return to === -1 ? rest : rest.slice(0, to);
}

/** Rows of the table of a section, without its head. */
const rows = (heading: string): string[][] =>
  section(heading)
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );

describe('docs/nodes.md', () => {
  it.each(NODE_TYPES.map((type) => [type.type, type] as const))(
    'lists every property of %s as the code has it',
    (_name, type) => {
      const documented = rows(`## ${type.type}`).map((cells) => cells.slice(0, 4));
      const coded = Object.entries(type.properties).map(([name, doc]) => [
        `\`${name}\``,
        doc.kind,
        doc.unit,
        doc.default === 'empty' || doc.default === 'required' ? doc.default : `\`${doc.default}\``,
      ]);
      expect(documented).toEqual(coded);
    },
  );

  it.each(NODE_TYPES.map((type) => [type.type] as const))('tells the consequence of every property of %s', (type) => {
    for (const [name, , , , consequence] of rows(`## ${type}`)) expect(consequence?.length, name).toBeGreaterThan(10);
  });

  it.each(NODE_TYPES.map((type) => [type.type, type] as const))(
    'tells the wires and the version of %s',
    (_name, type) => {
      const text = section(`## ${type.type}`).join('\n');
      expect(text).toContain(`Version ${type.version}.`);
      const input = type.accepts.length === 0 ? 'none' : type.accepts.join(', ');
      const outputs = type.outputs.length === 0 ? 'none' : type.outputs.join(', ');
      expect(text).toContain(`Input: ${input}. Outputs: ${outputs}.`);
      const secrets =
        type.secrets.length === 0 ? '' : `Credentials: ${type.secrets.map((name) => `\`${name}\``).join(', ')}`;
      expect(text).toContain(secrets);
    },
  );

  it('lists every reason for which a flow is refused, and every notice', () => {
    const table = (codes: object): string[][] =>
      Object.entries(codes).map(([code, meaning]) => [`\`${code}\``, String(meaning)]);
    expect(rows('## Faults')).toEqual(table(FAULT_CODES));
    expect(rows('## Notices')).toEqual(table(NOTICE_CODES));
  });

  it('names the node types of later versions', () => {
    for (const type of LATER_NODE_TYPES) expect(DOCUMENT).toContain(`\`${type}\``);
  });
});
