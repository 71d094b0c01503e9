import { join } from 'node:path';
import { readJson, writeJson } from './local-files.ts';

/** Bound of the whole library file. */
const MAX_LIBRARY_CHARACTERS = 4 * 1024 * 1024;

interface LibraryFile {
  readonly meta: object;
  readonly body: unknown;
}
/** By `type/path`. */
type Library = Record<string, LibraryFile>;

const keyOf = (type: string, path: string): string =>
  [type, ...path.split('/').filter((part) => part !== '')].join('/');

/** Node-RED's library (functions, templates and flows kept for reuse), in one file. */
export class EditorLibrary {
  readonly #path: string;

  constructor(userDir: string) {
    this.#path = join(userDir, 'library.json');
  }

  /** The body of an entry, or the names in a folder: sub-folders as text, entries as `{fn, …meta}`. */
  async read(type: string, path: string): Promise<unknown> {
    const library = await this.#load();
    const key = keyOf(type, path);
    const entry = library[key];
    if (entry !== undefined) return entry.body;
    const inside = Object.entries(library).filter(([other]) => other.startsWith(`${key}/`));
    if (inside.length === 0 && key !== type) throw Object.assign(new Error('not found'), { code: 'not_found' });
    const folders = new Set<string>();
    const files: object[] = [];
    for (const [other, { meta }] of inside) {
      const [first = '', ...rest] = other.slice(key.length + 1).split('/');
      if (rest.length > 0) folders.add(first);
      else files.push({ ...meta, fn: first });
    }
    return [...folders, ...files];
  }

  async write(type: string, path: string, meta: object, body: unknown): Promise<void> {
    const library = await this.#load();
    library[keyOf(type, path)] = { meta, body };
    if (JSON.stringify(library).length > MAX_LIBRARY_CHARACTERS) {
      throw Object.assign(new Error('the library is full'), { code: 'library_full' });
    }
    await writeJson(this.#path, library);
  }

  async #load(): Promise<Library> {
    return ((await readJson(this.#path)) ?? {}) as Library;
  }
}
