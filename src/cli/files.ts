import { mkdir, readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { messageOf, systemCode } from '../runtime/errors.ts';
import { CommandError } from './command-error.ts';
import { both } from './io.ts';

/** What a file (`-`: standard input) holds; throws FILE_UNREADABLE. */
export async function readBytes(file: string): Promise<Buffer> {
  try {
    return file === '-' ? await buffer(process.stdin) : await readFile(file);
  } catch (error) {
    const reason = systemCode(error) ?? messageOf(error);
    throw new CommandError(
      'FILE_UNREADABLE',
      both(`cannot read ${file} (${reason})`, `impossible de lire ${file} (${reason})`),
      { cause: error, context: { file, reason } },
    );
  }
}

export const readText = async (file: string): Promise<string> => (await readBytes(file)).toString('utf8');

/** Makes a data directory for its owner only, where it does not exist; throws FILE_UNWRITABLE. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const reason = systemCode(error) ?? messageOf(error);
    throw new CommandError(
      'FILE_UNWRITABLE',
      both(`cannot make the folder ${folder} (${reason})`, `impossible de créer le dossier ${folder} (${reason})`),
      { cause: error, context: { folder, reason } },
    );
  }
}
