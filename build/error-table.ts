/** Writes the table of docs/errors.md from the catalogue: `node build/error-table.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES } from '../src/runtime/error-codes.ts';

const file = join(import.meta.dirname, '../docs/errors.md');
const head = readFileSync(file, 'utf8').split('\n| `')[0] ?? '';
const rows = Object.entries(ERROR_CODES).map(
  ([code, { hint, retryable }]) => `| \`${code}\` | ${hint.en} | ${retryable ? 'yes, by itself' : 'no'} |`,
);
writeFileSync(file, `${head}\n${rows.join('\n')}\n`);
