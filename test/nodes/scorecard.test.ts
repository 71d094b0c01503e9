import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NODE_TYPES, ROOT, editorDefinition, nodeFile } from './node-files.ts';

interface PackageJson {
  readonly name: string;
  readonly license: string;
  readonly keywords: readonly string[];
  readonly engines: { readonly node: string };
  readonly files?: readonly string[];
  readonly 'node-red': {
    readonly version: string;
    readonly nodes: Readonly<Record<string, string>>;
    readonly plugins: Readonly<Record<string, string>>;
  };
}
const packageJson = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageJson;

/** The rules of Node-RED's own scorecard (node-red-dev) that can be checked without its catalogue. */
describe('the package as a set of Node-RED nodes', () => {
  it('has a scoped name, a licence and the keyword (P01, P04, P05)', () => {
    expect(packageJson.name).toMatch(/^@[a-z]+\//);
    expect(packageJson.license).not.toBe('');
    expect(existsSync(join(ROOT, 'LICENSE'))).toBe(true);
    expect(packageJson.keywords).toContain('node-red');
  });

  it('says which Node-RED and Node.js it needs (P06, P07)', () => {
    expect(packageJson['node-red'].version).toBe('>=5.0.0');
    expect(packageJson.engines.node).toBe('>=24');
  });

  it('lists every folder of nodes/, and nothing else (N01)', () => {
    expect(Object.keys(packageJson['node-red'].nodes).toSorted()).toEqual(NODE_TYPES.toSorted());
    for (const [type, path] of Object.entries(packageJson['node-red'].nodes)) {
      expect(path).toBe(`dist/nodes/${type}/${type}.js`);
    }
    expect(packageJson['node-red'].plugins).toEqual({ 'cigale-editor': 'dist/nodes/cigale-editor/cigale-editor.html' });
  });
});

describe.each(NODE_TYPES)('%s', (type) => {
  const definition = editorDefinition(type);

  it('has a form, an icon of 40 by 60 and a colour of its family', () => {
    expect(nodeFile(type, 'html')).toContain(`data-template-name="${type}"`);
    const icon = readFileSync(join(ROOT, 'nodes', type, 'icons', definition.icon), 'utf8');
    expect(icon).toContain('width="40" height="60"');
    const families: Record<string, string> = { Cigale: '#F2C14E #5FB8AD #87B6E8', config: '#C8CDD2' };
    expect(families[definition.category]).toContain(definition.color);
  });

  it('has a name, a version, and no property that Node-RED reserves', () => {
    expect(definition.defaults['name']?.value).toBe('');
    expect(definition.defaults['version']?.value).toBe(1);
    const reserved = /^(?:.|id|type|wires|inputs|outputs)$/;
    expect(Object.keys(definition.defaults).filter((name) => reserved.test(name))).toEqual([]);
  });

  it('registers in the runtime what the page registers', async () => {
    const module = (await import(`../../nodes/${type}/${type}.ts`)) as { default: (api: unknown) => void };
    const seen: { name: string; credentials: string[] }[] = [];
    module.default({
      settings: {},
      nodes: {
        registerType: (name: string, _constructor: unknown, options: { credentials?: object } = {}) =>
          seen.push({ name, credentials: Object.keys(options.credentials ?? {}) }),
      },
    });
    expect(seen).toEqual([{ name: type, credentials: Object.keys(definition.credentials ?? {}) }]);
  });
});
