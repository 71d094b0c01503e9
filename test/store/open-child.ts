import process from 'node:process';
import type { DriverName } from '../../src/store/driver.ts';
import { GatewayError } from '../../src/runtime/errors.ts';
import { openDriver } from '../../src/store/open-driver.ts';
import { memoryLog } from '../fakes/silent-log.ts';

/** A second gateway that tries to open a file: prints `opened`, or the code of the error. Arguments: path, driver. */
const [, , path = '', driver = ''] = process.argv;
try {
  await openDriver({ path, driver: driver as DriverName, log: memoryLog() });
  process.stdout.write('opened');
} catch (error) {
  process.stdout.write(error instanceof GatewayError ? error.code : String(error));
}
process.exit(0);
