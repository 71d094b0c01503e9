import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = resolve(import.meta.dirname, '../..');

/**
 * A package of the Cigale nodes as the build makes it, without a build: forms, help, locales and icons are linked, and
 * each node's `.js` passes on to its TypeScript source.
 */
export function nodePackage(dir: string): string {
  const real = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, unknown>;
  const target = join(dir, 'package');
  for (const name of readdirSync(join(ROOT, 'nodes'))) {
    const folder = join(target, 'dist/nodes', name);
    mkdirSync(folder, { recursive: true });
    for (const file of readdirSync(join(ROOT, 'nodes', name))) {
      const source = join(ROOT, 'nodes', name, file);
      if (!file.endsWith('.ts')) symlinkSync(source, join(folder, file));
      else writeFileSync(join(folder, `${name}.js`), `export { default } from '${pathToFileURL(source).href}';\n`);
    }
  }
  writeFileSync(join(target, 'package.json'), JSON.stringify({ ...real, type: 'module' }));
  return target;
}
