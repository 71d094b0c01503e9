import { stat } from 'node:fs/promises';
import { join } from 'node:path';

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    // Absent or not readable: either way it says nothing.
    return false;
  }
}

/**
 * Whether a time service has set the system's clock since it started: systemd-timesyncd, the service of Raspberry Pi OS and
 * Debian, makes the file `synchronized` in its run folder (systemd-timesyncd.service(8)). null where it does not run.
 */
export async function isClockSynchronized(runFolder = '/run'): Promise<boolean | null> {
  const folder = join(runFolder, 'systemd/timesync');
  if (await exists(join(folder, 'synchronized'))) return true;
  return (await exists(folder)) ? false : null;
}
