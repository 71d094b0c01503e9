import { describe, expect, it } from 'vitest';
import { LANGUAGES, NODE_TYPES, leaves, localeFile, nodeFile } from './node-files.ts';

const catalogue = (type: string, language: string): unknown =>
  JSON.parse(localeFile(type, language, 'json')) as unknown;
const PLUGIN = '@cigale/gateway/cigale-editor:';

/** Keys that the form and its script ask for. */
function askedKeys(type: string): string[] {
  const html = nodeFile(type, 'html');
  const attributes = [...html.matchAll(/data-i18n="(?:\[\w+\])?([^"]+)"/g)].map((match) => match[1] as string);
  const calls = [...html.matchAll(/this\._\('([^']+?)\.?'\s*(?:\+[^)]*)?\)/g)].map((match) => match[1] as string);
  return [...new Set([...attributes, ...calls])];
}

describe.each(NODE_TYPES)('the words of %s', (type) => {
  it('are the same keys in each language, none of them empty', () => {
    const [english, french] = LANGUAGES.map((language) => catalogue(type, language));
    expect(leaves(french)).toEqual(leaves(english));
    expect(JSON.stringify([english, french])).not.toContain('""');
  });

  it('answer every key that the form asks for', () => {
    const own = leaves(catalogue(type, 'fr'));
    const shared = leaves(catalogue('cigale-editor', 'fr')).map((key) => `${PLUGIN}${key}`);
    for (const key of askedKeys(type)) {
      expect(
        [...own, ...shared].some((known) => known === key || known.startsWith(`${key}.`)),
        key,
      ).toBe(true);
    }
  });

  it.each(LANGUAGES)('have a help in %s with a first paragraph of one or two sentences', (language) => {
    const help = localeFile(type, language, 'html');
    expect(help).toContain(`data-help-name="${type}"`);
    const [first = ''] = help.split('\n').slice(1).join('\n').trim().split('\n\n');
    expect(first.length).toBeGreaterThan(20);
    expect(first.startsWith('#')).toBe(false);
  });

  it('keep their headings side by side', () => {
    const headings = LANGUAGES.map((language) => localeFile(type, language, 'html').match(/^### /gm)?.length ?? 0);
    expect(headings[1]).toBe(headings[0]);
  });
});

describe('the words that all forms share', () => {
  it('are the same keys in each language and hold every key that the script asks for', () => {
    const [english, french] = LANGUAGES.map((language) => leaves(catalogue('cigale-editor', language)));
    expect(french).toEqual(english);
    const asked = [...nodeFile('cigale-editor', 'html').matchAll(/\bt\('([a-zA-Z.]+?)\.?'(?:\)|,)/g)].map(
      (match) => match[1],
    );
    expect(asked.length).toBeGreaterThan(15);
    for (const key of asked) expect(french, key).toContain(key);
  });
});
