/** What the compiler does not do: forms, help and icons beside the built nodes, the page's files, the flows that the editor offers, and `npx cigale` in a checkout. */
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { extname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const main = join(root, 'dist/src/main.js');
const bin = join(root, 'node_modules/.bin');

cpSync(join(root, 'src/page'), join(root, 'dist/src/page'), { recursive: true });
cpSync(join(root, 'nodes'), join(root, 'dist/nodes'), { recursive: true, filter: (file) => extname(file) !== '.ts' });
// Node-RED offers what is in the package's folder of this name. A link to `flows` would do, where links survive a copy.
const examples = join(root, 'examples');
rmSync(examples, { recursive: true, force: true });
mkdirSync(examples);
for (const file of readdirSync(join(root, 'flows')).filter((name) => extname(name) === '.json')) {
  cpSync(join(root, 'flows', file), join(examples, file));
}
chmodSync(main, 0o755);
// npm links the bins of dependencies only, not the package's own.
mkdirSync(bin, { recursive: true });
rmSync(join(bin, 'cigale'), { force: true });
symlinkSync('../../dist/src/main.js', join(bin, 'cigale'));
