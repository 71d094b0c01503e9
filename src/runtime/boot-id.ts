import { readFileSync } from 'node:fs';

/** The kernel's name for this boot (proc(5), `/proc/sys/kernel/random/boot_id`); empty where it cannot be read: then no two starts are of one boot. */
export function readBootId(path = '/proc/sys/kernel/random/boot_id'): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // Not Linux, or no /proc: what was kept of the boot is not used.
    return '';
  }
}
