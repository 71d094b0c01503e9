import { describe, expect, it } from 'vitest';
import { DRIVER_NAMES } from '../../src/store/driver.ts';
import { driverFromEnvironment } from '../../src/store/open-driver.ts';
import { refuseBrokenVersion } from '../../src/store/pragmas.ts';
import { driverContract } from './driver-contract.ts';

for (const name of DRIVER_NAMES) driverContract(name);

describe('the choice of the SQL library', () => {
  it.each(['3.7.0', '3.40.1', '3.44.2', '3.51.2'])('refuses SQLite %s, which has the WAL-reset bug', (version) => {
    expect(() => refuseBrokenVersion(version)).toThrow(expect.objectContaining({ code: 'STORE_OPEN_FAILED' }));
  });

  it.each(['3.51.3', '3.52.0', '3.53.4', '4.0.0'])('takes SQLite %s', (version) => {
    expect(() => refuseBrokenVersion(version)).not.toThrow();
  });

  it('is forced by CIGALE_SQLITE_DRIVER, and an unknown name is an error', () => {
    expect(driverFromEnvironment({})).toBeUndefined();
    expect(driverFromEnvironment({ CIGALE_SQLITE_DRIVER: 'node:sqlite' })).toBe('node:sqlite');
    expect(() => driverFromEnvironment({ CIGALE_SQLITE_DRIVER: 'oracle' })).toThrow('oracle');
  });
});
