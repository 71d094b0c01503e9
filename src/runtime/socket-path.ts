import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';

/** `sun_path` of a Unix socket holds 108 bytes with its final zero (unix(7)). */
const MAX_PATH_BYTES = 107;

type SocketName = 'cigale.sock' | 'editor.sock';

/**
 * Where a socket of the data directory may be, the first being where it is made: `DIR/NAME`, or in `$XDG_RUNTIME_DIR` (else
 * `/tmp`) where that would be too long. A service has no `$XDG_RUNTIME_DIR` where a technician's shell has one: who looks
 * for the socket tries all.
 */
export function socketPaths(dataDir: string, name: SocketName): readonly [string, ...string[]] {
  const path = join(resolve(dataDir), name);
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return [path];
  const short = `${createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 16)}-${name}`;
  const folder = process.env['XDG_RUNTIME_DIR'] ?? '';
  const shared = join('/tmp', short);
  return folder === '' ? [shared] : [join(folder, short), shared];
}

export const socketPath = (dataDir: string, name: SocketName): string => socketPaths(dataDir, name)[0];
