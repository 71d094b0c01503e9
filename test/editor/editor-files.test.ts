import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EditorLibrary } from '../../src/editor/editor-library.ts';
import { readJson, writeJson } from '../../src/editor/local-files.ts';
import { checkListen, isOwnHost } from '../../src/editor/editor-options.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cigale-files-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe("the editor's own files", () => {
  it('are replaced whole and leave nothing beside them', async () => {
    const path = join(dir, 'editor', 'settings.json');
    await writeJson(path, { a: 1 });
    await writeJson(path, { a: 2 });
    expect(await readJson(path)).toEqual({ a: 2 });
    expect(readdirSync(join(dir, 'editor'))).toEqual(['settings.json']);
  });

  it('count as absent when they are torn', async () => {
    const path = join(dir, 'settings.json');
    writeFileSync(path, '{"a":');
    expect(await readJson(path)).toBeUndefined();
    expect(await readJson(join(dir, 'none.json'))).toBeUndefined();
  });

  it('hold a library with folders', async () => {
    const library = new EditorLibrary(dir);
    expect(await library.read('functions', '/')).toEqual([]);
    await library.write('functions', '/istres/scale', { name: 'scale' }, 'return msg;');
    expect(await library.read('functions', '/')).toEqual(['istres']);
    expect(await library.read('functions', 'istres')).toEqual([{ name: 'scale', fn: 'scale' }]);
    expect(await library.read('functions', 'istres/scale')).toBe('return msg;');
    await expect(library.read('functions', 'nowhere')).rejects.toMatchObject({ code: 'not_found' });
    expect(readFileSync(join(dir, 'library.json'), 'utf8')).toContain('return msg;');
  });
});

describe('the address of the editor', () => {
  it.each(['127.0.0.1', '127.8.8.8', 'localhost', '::1'])('may be %s', (host) => {
    expect(() => checkListen({ host, port: 1880 })).not.toThrow();
  });
  it.each(['0.0.0.0', '192.168.1.4', '::', 'gateway.local', '127.0.0.1.example.fr'])('may not be %s', (host) => {
    expect(() => checkListen({ host, port: 1880 })).toThrow(expect.objectContaining({ code: 'EDITOR_NOT_LOOPBACK' }));
  });
  it('answers to names of this machine only', () => {
    expect(['127.0.0.1:1880', 'localhost', '[::1]:1880'].map(isOwnHost)).toEqual([true, true, true]);
    expect(['evil.example', undefined, '192.168.1.4:1880', ''].map(isOwnHost)).toEqual([false, false, false, false]);
  });
});
