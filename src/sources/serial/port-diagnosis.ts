import { constants } from 'node:fs';
import { access, open, readFile, readlink, stat } from 'node:fs/promises';
import { GatewayError, messageOf, systemCode } from '../../runtime/errors.ts';
import type { ErrorCode } from '../../runtime/error-codes.ts';

/** Error codes of the system that say more than "it did not open". */
const MEANING: Readonly<Record<string, ErrorCode>> = {
  EACCES: 'SERIAL_PERMISSION',
  EPERM: 'SERIAL_PERMISSION',
  EBUSY: 'SERIAL_PORT_BUSY',
};

const failure = (path: string, cause: unknown): GatewayError =>
  new GatewayError(MEANING[systemCode(cause) ?? ''] ?? 'SERIAL_OPEN_FAILED', messageOf(cause), {
    context: { path },
    cause,
  });

/** Rejects when the port is not there or not ours to use. */
export async function checkPortFile(path: string): Promise<void> {
  try {
    await access(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw failure(path, error);
  }
}

/**
 * Why a port that is there did not open. The library's errors carry words but no code, so the system is asked again:
 * for its own error code, and for who holds the lock that the library failed to take.
 */
export async function explainOpenFailure(path: string, cause: unknown): Promise<GatewayError> {
  const holder = await lockHolder(path);
  if (holder !== null) {
    return new GatewayError('SERIAL_PORT_BUSY', `${path} is used by ${holder}`, { context: { path }, cause });
  }
  try {
    const file = await open(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    await file.close();
  } catch (error) {
    return failure(path, error);
  }
  return failure(path, cause);
}

/** `socat (pid 812)`: the process with a lock on the file, from Linux's /proc/locks; null when there is none. */
async function lockHolder(path: string): Promise<string | null> {
  try {
    const { dev, ino } = await stat(path);
    const locks = await readFile('/proc/locks', 'utf8');
    const pid = locks
      .split('\n')
      .map(parseLock)
      .find((lock) => lock?.ino === ino && lock.dev === dev)?.pid;
    return pid === undefined ? null : `${await processName(pid)} (pid ${pid})`;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return null;
  }
}

interface Lock {
  readonly pid: string;
  readonly dev: number;
  readonly ino: number;
}

/** `1: FLOCK  ADVISORY  WRITE 812 00:1a:5 0 EOF`: device numbers in hex, the inode in decimal. */
function parseLock(line: string): Lock | null {
  const [, pid, major, minor, inode] = /(-?\d+) ([\da-f]+):([\da-f]+):(\d+) \d+ \w+$/.exec(line) ?? [];
  if (pid === undefined || major === undefined || minor === undefined || inode === undefined) return null;
  return { pid, dev: deviceNumber(Number.parseInt(major, 16), Number.parseInt(minor, 16)), ino: Number(inode) };
}

/** makedev(3) of Linux for the device numbers that /proc shows. */
const deviceNumber = (major: number, minor: number): number =>
  (minor & 0xff) + major * 0x100 + (minor >> 8) * 0x10_0000;

async function processName(pid: string): Promise<string> {
  try {
    return (await readlink(`/proc/${pid}/exe`)).split('/').at(-1) ?? 'another program';
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return 'another program';
  }
}
