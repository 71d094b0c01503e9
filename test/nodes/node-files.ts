import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runInNewContext } from 'node:vm';

export const ROOT = resolve(import.meta.dirname, '../..');
export const LANGUAGES = ['en-US', 'fr'] as const;

/** Folders of `nodes/` that hold a node (the plugin holds none). */
export const NODE_TYPES: readonly string[] = readdirSync(join(ROOT, 'nodes')).filter(
  (name) => name !== 'cigale-editor',
);

export const nodeFile = (type: string, ending: string): string =>
  readFileSync(join(ROOT, 'nodes', type, `${type}.${ending}`), 'utf8');
export const localeFile = (type: string, language: string, ending: string): string =>
  readFileSync(join(ROOT, 'nodes', type, 'locales', language, `${type}.${ending}`), 'utf8');

export interface EditorDefinition {
  readonly category: string;
  readonly color: string;
  readonly defaults: Readonly<
    Record<string, { readonly value: unknown; readonly type?: string; readonly validate?: unknown }>
  >;
  readonly inputs?: number;
  readonly outputs?: number;
  readonly icon: string;
  readonly credentials?: Readonly<Record<string, { readonly type: string }>>;
  outputLabels?(index: number): string;
}

/** What the page registers for a type, from the script of its form. */
export function editorDefinition(type: string): EditorDefinition {
  const script = /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(nodeFile(type, 'html'))?.[1] ?? '';
  let found: { type: string; definition: EditorDefinition } | undefined;
  const anything: unknown = new Proxy(() => () => true, { get: () => () => () => true });
  runInNewContext(script, {
    RED: {
      nodes: {
        registerType: (name: string, definition: EditorDefinition) => {
          found = { type: name, definition };
        },
      },
    },
    Cigale: { valid: anything, form: anything },
  });
  if (found?.type !== type) throw new Error(`${type}.html does not register ${type}`);
  return found.definition;
}

/** The properties of a node fresh from the palette, as plain data of this realm. */
export const freshProperties = (type: string): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(editorDefinition(type).defaults).map(([name, { value }]) => [
      name,
      JSON.parse(JSON.stringify(value)) as unknown,
    ]),
  );

/** Paths of all texts of a catalogue. */
export function leaves(catalogue: unknown, path = ''): string[] {
  if (typeof catalogue === 'string') return [path];
  return Object.entries(catalogue as object).flatMap(([key, value]) =>
    leaves(value, path === '' ? key : `${path}.${key}`),
  );
}
