import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { compile } from './command.ts';

/** A file system of its own on a loop device, which a trial may cut, fill and break. Needs root. */
export class Ext4Volume {
  readonly #image: string;
  readonly #shutdown: string;
  readonly path: string;

  constructor(folder: string, megabytes: number) {
    this.#image = join(folder, 'volume.img');
    this.path = join(folder, 'volume');
    const shutdown = compile('shutdown-fs.c', join(folder, 'shutdown-fs'));
    if (shutdown === null) throw new Error('gcc is needed');
    this.#shutdown = shutdown;
    execFileSync('truncate', ['-s', `${megabytes}M`, this.#image]);
    execFileSync('mkfs.ext4', ['-qF', '-m', '0', this.#image]);
    mkdirSync(this.path);
    this.mount();
    chmodSync(this.path, 0o700);
  }

  mount(): void {
    execFileSync('mount', ['-o', 'loop,errors=remount-ro', this.#image, this.path]);
  }

  unmount(): void {
    execFileSync('umount', [this.path]);
  }

  /** What was not on the device before this call is gone once the volume is mounted again. */
  cutPower(): void {
    execFileSync(this.#shutdown, [this.path]);
  }

  /** The kernel finds the file system damaged and makes it read-only, as with a dying card. */
  breakDown(): void {
    const device = execFileSync('findmnt', ['-no', 'SOURCE', this.path], { encoding: 'utf8' }).trim();
    writeFileSync(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, '1');
  }

  /** Checks and repairs the unmounted volume, as a boot does. */
  repair(): void {
    try {
      execFileSync('e2fsck', ['-p', this.#image], { stdio: 'pipe' });
    } catch (error) {
      // 1 says that errors were corrected.
      if ((error as { status?: number }).status !== 1) throw error;
    }
  }
}
