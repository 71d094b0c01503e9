import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GatewayError, systemCode } from '../runtime/errors.ts';

/** The content of a JSON file, or undefined when there is none or it is not JSON any more. */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT' || cause instanceof SyntaxError) return undefined;
    throw new GatewayError('FILE_UNREADABLE', `cannot read ${path}`, { cause, context: { path } });
  }
}

/** Replaces a file whole: after a power cut it holds the old or the new content, never a part. */
export async function writeJson(path: string, content: unknown): Promise<void> {
  const temporary = `${path}.new`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(content));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    const folder = await open(dirname(path), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (cause) {
    throw new GatewayError('FILE_UNWRITABLE', `cannot write ${path}`, { cause, context: { path } });
  }
}
