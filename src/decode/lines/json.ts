import type { SerialSourceSettings } from '../../model/plan.ts';
import { messageOf } from '../../runtime/errors.ts';
import { isRefusal, plainValue, refuse, type LineReader, type RawValue, type Refusal } from './reading.ts';

const MAX_DEPTH = 16;

/**
 * One JSON value a line. A channel's key is a path (`/wind/0/speed`, RFC 6901) or the name of a top-level member; numbers
 * may be written as strings. `address` is `/path=value`, or the value of the top-level member `address`.
 */
export function createJsonReader(settings: SerialSourceSettings): LineReader {
  const paths = settings.channels.map(({ key }) => ({ key, path: parsePath(key) }));
  const wanted = parseAddress(settings.address);

  return {
    read(text) {
      if (settings.checksum === 'required') return refuse('missing-checksum', 'JSON lines carry no checksum');
      if (isTooDeep(text)) return refuse('malformed', `nested deeper than ${MAX_DEPTH}`);
      const document = parse(text);
      if (isRefusal(document)) return document;
      if (wanted !== null && !wanted.accepts(follow(document.value, wanted.path))) return 'other-address';
      const values: (RawValue | undefined)[] = [];
      for (const { key, path } of paths) {
        const value = rawValue(key, follow(document.value, path));
        if (value !== undefined && isRefusal(value)) return value;
        values.push(value);
      }
      return { values };
    },
  };
}

const parsePath = (key: string): string[] =>
  key.startsWith('/')
    ? key
        .slice(1)
        .split('/')
        .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    : [key];

function parseAddress(address: string): { path: string[]; accepts: (found: unknown) => boolean } | null {
  if (address === '') return null;
  const at = address.startsWith('/') ? address.indexOf('=') : -1;
  const path = at === -1 ? ['address'] : parsePath(address.slice(0, at));
  const value = address.slice(at + 1);
  return { path, accepts: (found) => (typeof found === 'string' || typeof found === 'number') && `${found}` === value };
}

/** Brackets outside strings, counted before the parser sees the text. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let isString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (isString) {
      if (character === '\\') index += 1;
      else if (character === '"') isString = false;
    } else if (character === '"') isString = true;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

function parse(text: string): { readonly value: unknown } | Refusal {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return refuse('malformed', messageOf(error));
  }
}

function follow(root: unknown, path: readonly string[]): unknown {
  let node = root;
  for (const step of path) {
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, step)) return undefined;
    node = (node as Record<string, unknown>)[step];
  }
  return node;
}

function rawValue(key: string, found: unknown): RawValue | Refusal | undefined {
  if (found === undefined) return undefined;
  if (found === null) return plainValue('');
  if (typeof found === 'number' || typeof found === 'string') return plainValue(found);
  return refuse('bad-value', `${key} is neither a number nor a text`);
}
