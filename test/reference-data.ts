import { existsSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.env['REFERENCE_DATA'] ?? '';

/** Path of a file of the reference data, or null (with a printed reason) where `REFERENCE_DATA` does not lead to it. */
export function referenceFile(...path: string[]): string | null {
  const file = folder === '' ? '' : join(folder, ...path);
  if (file !== '' && existsSync(file)) return file;
  process.stderr.write(`skipped: reference data ${path.join('/')} needs REFERENCE_DATA\n`);
  return null;
}
