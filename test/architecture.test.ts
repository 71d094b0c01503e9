import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

/** Who may import whom: area -> areas (or single modules). A stage knows the nouns, the runtime and the store's interface only. */
const STAGE = ['model', 'runtime', 'store/store.ts'];
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  model: [],
  runtime: ['model'],
  flow: ['model', 'runtime'],
  store: ['model', 'runtime'],
  sources: STAGE,
  decode: STAGE,
  aggregate: STAGE,
  share: STAGE,
  forward: STAGE,
  health: STAGE,
  api: STAGE,
  editor: ['model', 'runtime'],
  wiring: ['model', 'runtime', 'flow', 'store', 'sources', 'decode', 'aggregate', 'share', 'forward', 'health', 'api'],
  'gateway.ts': ['model', 'runtime', 'flow', 'store', 'wiring', 'health', 'api', 'editor'],
  'index.ts': ['model', 'runtime', 'editor'],
  cli: ['model', 'runtime', 'flow', 'store', 'sources', 'decode', 'forward', 'health', 'gateway.ts'],
  'main.ts': ['model', 'runtime', 'cli'],
};

/** Each third-party library has one owner. Node's own modules are free, but for these. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  sqlite3: ['store/'],
  'node:sqlite': ['store/'],
  serialport: ['sources/serial/'],
  '@serialport/parser-readline': ['sources/serial/'],
  'lora-packet': ['sources/lora/', 'sources/simulate/'],
  'quickjs-emscripten': ['decode/codec/'],
  mqtt: ['forward/'],
  aedes: ['sources/simulate/'],
  fastify: ['api/'],
  pino: ['runtime/log.ts'],
  'node-red': ['editor/'],
  zod: ['flow/', 'api/', 'decode/', 'store/registry/', 'forward/'],
};

const modules = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('page/'))
    .map((file) => join(folder, file));

const IMPORT =
  /^(?:import|export)\s(?:[^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]|\brequire\(\s*['"]([^'"]+)['"]/gm;
const importsOf = (file: string): string[] =>
  [...readFileSync(join(ROOT, file), 'utf8').matchAll(IMPORT)].map(
    (match) => (match[1] ?? match[2] ?? match[3]) as string,
  );

/** `store/log.ts` for src/store/log.ts. */
const inSource = (file: string, specifier: string): string =>
  relative(join(ROOT, 'src'), resolve(ROOT, dirname(file), specifier));
const areaOf = (module: string): string => module.split('/')[0] as string;

const source = modules('src');

describe('the import table of src/README.md', () => {
  it('sees the modules it speaks of', () => {
    expect(source.length).toBeGreaterThan(40);
    for (const file of source) expect(Object.keys(MAY_IMPORT), file).toContain(areaOf(relative('src', file)));
  });

  it('lets a module import its own area and what the table names, and nothing else', () => {
    const broken: string[] = [];
    for (const file of source) {
      const area = areaOf(relative('src', file));
      for (const specifier of importsOf(file).filter((name) => name.startsWith('.'))) {
        const target = inSource(file, specifier);
        const allowed = MAY_IMPORT[area] ?? [];
        if (areaOf(target) !== area && !allowed.includes(areaOf(target)) && !allowed.includes(target))
          broken.push(`${file} -> ${target}`);
      }
    }
    expect(broken).toEqual([]);
  });

  it('keeps stages of one folder apart: a source does not import another source', () => {
    const broken = source
      .filter((file) => file.startsWith('src/sources/'))
      .flatMap((file) =>
        importsOf(file)
          .filter((name) => name.startsWith('.'))
          .map((name) => inSource(file, name))
          .filter((target) => target.startsWith('sources/') && target.split('/')[1] !== file.split('/')[2])
          .map((target) => `${file} -> ${target}`),
      );
    expect(broken.filter((line) => !line.startsWith('src/sources/simulate/'))).toEqual([]);
  });

  it('lets each third-party library be imported by its owner only', () => {
    const broken: string[] = [];
    for (const file of source) {
      for (const specifier of importsOf(file)) {
        const library = Object.keys(OWNERS).find((name) => specifier === name || specifier.startsWith(`${name}/`));
        const foreign = library === undefined && !specifier.startsWith('.') && !specifier.startsWith('node:');
        const owned =
          library !== undefined &&
          (OWNERS[library] as readonly string[]).some((owner) => relative('src', file).startsWith(owner));
        if (foreign || (library !== undefined && !owned)) broken.push(`${file} -> ${specifier}`);
      }
    }
    expect(broken).toEqual([]);
  });

  it('lets the flow nodes import src/index.ts only', () => {
    const broken = modules('nodes').flatMap((file) =>
      importsOf(file)
        .filter((name) => name.startsWith('.') && resolve(ROOT, dirname(file), name) !== join(ROOT, 'src/index.ts'))
        .filter((name) => !resolve(ROOT, dirname(file), name).startsWith(join(ROOT, 'nodes')))
        .map((name) => `${file} -> ${name}`),
    );
    expect(broken).toEqual([]);
  });

  it('allows no file above 300 lines', () => {
    const long = [...source, ...modules('nodes')].filter(
      (file) => readFileSync(join(ROOT, file), 'utf8').split('\n').length > 301,
    );
    expect(long).toEqual([]);
  });

  it('reads the clock in one module only', () => {
    const broken = source.filter(
      (file) =>
        file !== 'src/runtime/clock.ts' &&
        /\b(Date\.now\(|setTimeout\(|setInterval\(|new Date\(\))/.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    expect(broken).toEqual([]);
  });
});
