/** What the compiler does not do: forms, help and icons beside the built nodes, the page's files, and `npx cigale` in a checkout. */
import { chmodSync, cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { extname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const main = join(root, 'dist/src/main.js');
const bin = join(root, 'node_modules/.bin');

cpSync(join(root, 'src/page'), join(root, 'dist/src/page'), { recursive: true });
cpSync(join(root, 'nodes'), join(root, 'dist/nodes'), { recursive: true, filter: (file) => extname(file) !== '.ts' });
chmodSync(main, 0o755);
// npm links the bins of dependencies only, not the package's own.
mkdirSync(bin, { recursive: true });
rmSync(join(bin, 'cigale'), { force: true });
symlinkSync('../../dist/src/main.js', join(bin, 'cigale'));
