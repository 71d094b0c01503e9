import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError, systemCode } from '../../runtime/errors.ts';

const KEY_FILE = 'secret.key';
const KEY_BYTES = 32;
/** First byte of every sealed value, so that a later layout can be told apart. */
const LAYOUT = 1;
/** NIST SP 800-38D §8.2.2: 96 random bits; far below 2^32 values are ever sealed under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES + TAG_BYTES;

/**
 * Keeps secrets unreadable in the database file: AES-256-GCM under the key in `DIR/secret.key`. A copy of the database
 * alone (a backup, a support bundle) gives no key away; a copy of the whole directory does.
 */
export class Vault {
  readonly #key: Uint8Array;

  private constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** Reads the key file of a data directory, or makes it when there is none. */
  static async open(dataDir: string): Promise<Vault> {
    const path = join(dataDir, KEY_FILE);
    const key = (await readKey(path)) ?? (await createKey(dataDir, path));
    if (key.length !== KEY_BYTES) {
      throw new GatewayError('SECRET_UNREADABLE', `the key file does not hold ${KEY_BYTES} bytes`, {
        context: { path, bytes: key.length },
      });
    }
    return new Vault(key);
  }

  /** `context` names where the value belongs; it must be the same when the value is opened. */
  seal(clear: string, context = ''): Uint8Array {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    cipher.setAAD(Buffer.from(context));
    const body = Buffer.concat([cipher.update(clear, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(LAYOUT), nonce, cipher.getAuthTag(), body]);
  }

  /** The clear text; SECRET_UNREADABLE when it was sealed under another key or context, or was damaged. */
  open(sealed: Uint8Array, context = ''): string {
    if (sealed.length < HEADER_BYTES || sealed[0] !== LAYOUT) {
      throw new GatewayError('SECRET_UNREADABLE', 'a stored secret has an unknown layout');
    }
    const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(sealed.subarray(1 + NONCE_BYTES, HEADER_BYTES));
    try {
      return decipher.update(sealed.subarray(HEADER_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch (cause) {
      throw new GatewayError('SECRET_UNREADABLE', 'a stored secret does not open with this key', { cause });
    }
  }
}

async function readKey(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw new GatewayError('SECRET_UNREADABLE', 'the key file cannot be read', { context: { path }, cause });
  }
}

/** Written aside and renamed: after a power cut there is the whole key or none, never half of one. */
async function createKey(dataDir: string, path: string): Promise<Uint8Array> {
  const key = randomBytes(KEY_BYTES);
  const aside = `${path}.new`;
  try {
    const file = await open(aside, 'w', 0o600);
    try {
      // A file left by an interrupted start keeps its old mode when it is opened again.
      await file.chmod(0o600);
      await file.writeFile(key);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
    await syncFolder(dataDir);
  } catch (cause) {
    throw new GatewayError('STORE_OPEN_FAILED', 'the key file cannot be written', { context: { path }, cause });
  }
  return key;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
