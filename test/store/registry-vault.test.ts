import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasCode } from '../../src/runtime/errors.ts';
import { Vault } from '../../src/store/registry/vault.ts';

const SECRET = '2b7e151628aed2a6abf7158809cf4f3c';
const codeOf = (action: () => unknown): boolean => {
  try {
    action();
    return false;
  } catch (error) {
    return hasCode(error, 'SECRET_UNREADABLE');
  }
};

describe('the vault', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vault-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('makes a key file of 32 bytes that only its owner may read, and leaves nothing else behind', async () => {
    await Vault.open(folder);
    const file = await stat(join(folder, 'secret.key'));
    expect(file.size).toBe(32);
    expect(file.mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['secret.key']);
  });

  it('keeps the mode closed when an interrupted start left a readable file', async () => {
    await writeFile(join(folder, 'secret.key.new'), 'half', { mode: 0o644 });
    await Vault.open(folder);
    expect((await stat(join(folder, 'secret.key'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'secret.key'))).size).toBe(32);
  });

  it('opens after a restart what it sealed before', async () => {
    const sealed = (await Vault.open(folder)).seal(SECRET, 'device/1');
    expect((await Vault.open(folder)).open(sealed, 'device/1')).toBe(SECRET);
  });

  it('seals the same text differently each time and never shows it', async () => {
    const vault = await Vault.open(folder);
    const [first, second] = [vault.seal(SECRET), vault.seal(SECRET)];
    expect(Buffer.from(first).equals(Buffer.from(second))).toBe(false);
    expect(Buffer.from(first).includes(SECRET)).toBe(false);
  });

  it('does not open a value that was altered, cut, sealed elsewhere or moved to another place', async () => {
    const vault = await Vault.open(folder);
    const sealed = vault.seal(SECRET, 'here');
    for (let index = 0; index < sealed.length; index++) {
      const altered = Uint8Array.from(sealed);
      altered[index]! ^= 1;
      expect(codeOf(() => vault.open(altered, 'here'))).toBe(true);
    }
    expect(codeOf(() => vault.open(sealed.subarray(0, 20), 'here'))).toBe(true);
    expect(codeOf(() => vault.open(sealed, 'there'))).toBe(true);
    const other = await mkdtemp(join(tmpdir(), 'vault-'));
    const stranger = await Vault.open(other);
    expect(codeOf(() => stranger.open(sealed, 'here'))).toBe(true);
    await rm(other, { recursive: true });
  });

  it('refuses a key file of another length instead of replacing it', async () => {
    await writeFile(join(folder, 'secret.key'), 'too short');
    await expect(Vault.open(folder)).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' });
    expect((await stat(join(folder, 'secret.key'))).size).toBe(9);
  });

  it('says when the key file cannot be written', async () => {
    await expect(Vault.open(join(folder, 'absent'))).rejects.toMatchObject({ code: 'STORE_OPEN_FAILED' });
  });
});
