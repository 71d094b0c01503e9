import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

const CHRONYC_TIMEOUT_MS = 2000;

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
 * Whether a time service has set the system's clock since it started. systemd-timesyncd, the service of Raspberry Pi OS and
 * Debian, makes the file `synchronized` in its run folder (systemd-timesyncd.service(8)); where chrony runs, its `chronyc` is asked.
 * null where neither runs.
 */
export async function isClockSynchronized(runFolder = '/run', chronyc = 'chronyc'): Promise<boolean | null> {
  const timesync = join(runFolder, 'systemd/timesync');
  if (await exists(join(timesync, 'synchronized'))) return true;
  if (await exists(join(runFolder, 'chrony'))) return isChronySynchronized(chronyc);
  return (await exists(timesync)) ? false : null;
}

/** The last field of `chronyc -c tracking` is the leap status: `Not synchronised` until a server was followed (chronyc(1)). */
function isChronySynchronized(chronyc: string): Promise<boolean | null> {
  return new Promise((resolve) => {
    execFile(chronyc, ['-c', 'tracking'], { timeout: CHRONYC_TIMEOUT_MS, env: { LC_ALL: 'C' } }, (error, output) => {
      const status = output.trim().split(',').at(-1) ?? '';
      if (error === null) resolve(status !== '' && !/not synchroni[sz]ed/i.test(status));
      // The folder of a chrony that was removed, or that does not let us ask.
      else resolve(null);
    });
  });
}
