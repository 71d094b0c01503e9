import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/runtime/error-codes.ts';
import { GatewayError, hasCode, systemCode } from '../../src/runtime/errors.ts';

const documented = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8')
  .split('\n')
  .flatMap((line) => /^\| `([A-Z_]+)` \|/.exec(line)?.[1] ?? []);

describe('the error catalogue', () => {
  it('is documented completely, and documents nothing that does not exist', () => {
    expect(documented.toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
  });

  it('tells a technician what to do, in both languages', () => {
    for (const [code, { hint }] of Object.entries(ERROR_CODES)) {
      expect(hint.en.length, code).toBeGreaterThan(10);
      expect(hint.fr.length, code).toBeGreaterThan(10);
    }
  });

  it('decides on codes, never on texts', () => {
    const error = new GatewayError('STORE_FULL', 'whatever', { context: { file: 'x' } });
    expect(hasCode(error, 'STORE_FULL')).toBe(true);
    expect(hasCode(new Error('STORE_FULL'), 'STORE_FULL')).toBe(false);
    expect(systemCode(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('ENOENT');
    expect(systemCode('ENOENT')).toBeUndefined();
  });
});
