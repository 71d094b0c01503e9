import { readdir, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';

const BY_ID = '/dev/serial/by-id';
const DEVICE = /^tty(USB|ACM|AMA|S)\d+$|^serial\d+$/;

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch {
    // No such folder: no port of that kind is plugged in.
    return [];
  }
}

/** Serial ports of this machine for a form to offer: stable names (by-id) first, then the kernel's. */
export async function listSerialPorts(): Promise<readonly { path: string; label: string }[]> {
  const stable = [];
  for (const name of await namesIn(BY_ID)) {
    const target = basename(await readlink(join(BY_ID, name)));
    stable.push({ path: join(BY_ID, name), label: `${name} (${target})` });
  }
  const plain = (await namesIn('/dev')).filter((name) => DEVICE.test(name)).toSorted();
  return [...stable, ...plain.map((name) => ({ path: `/dev/${name}`, label: name }))];
}
