/** Where a JSON text stops being JSON, counted from 1 as editors do. */
export interface JsonPosition {
  readonly line: number;
  readonly column: number;
}

const TOKEN =
  /[{}[\],:]|"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/uy;
const SPACE = /[ \t\r\n]*/y;

type Expect = 'value' | 'value-or-close' | 'key' | 'key-or-close' | 'colon' | 'comma-or-close' | 'end';

/** What may follow once a value is complete inside `open` brackets. */
const afterValue = (open: readonly string[]): Expect => (open.length === 0 ? 'end' : 'comma-or-close');

function closes(token: string, open: readonly string[]): boolean {
  return (token === '}' && open.at(-1) === '{') || (token === ']' && open.at(-1) === '[');
}

/** The next expectation, or undefined where the token may not stand here. `open` is the stack of open brackets. */
function advance(token: string, expect: Expect, open: string[]): Expect | undefined {
  if (closes(token, open) && (expect === 'comma-or-close' || expect.endsWith('-or-close'))) {
    open.pop();
    return afterValue(open);
  }
  if (expect === 'colon') return token === ':' ? 'value' : undefined;
  if (expect === 'comma-or-close') return token === ',' ? (open.at(-1) === '{' ? 'key' : 'value') : undefined;
  if (expect === 'key' || expect === 'key-or-close') return token.startsWith('"') ? 'colon' : undefined;
  if (expect === 'end') return undefined;
  if (token === '{' || token === '[') {
    open.push(token);
    return token === '{' ? 'key-or-close' : 'value-or-close';
  }
  return /^[}\],:]$/.test(token) ? undefined : afterValue(open);
}

function stickyMatch(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

function offsetOfFault(text: string): number {
  const open: string[] = [];
  let expect: Expect = 'value';
  let at = 0;
  for (;;) {
    at += stickyMatch(SPACE, text, at).length;
    const token: string = stickyMatch(TOKEN, text, at);
    const next: Expect | undefined = token === '' ? undefined : advance(token, expect, open);
    if (next === undefined) return at;
    expect = next;
    at += token.length;
  }
}

/** Line and column of the first fault of a text that `JSON.parse` refused. The engine's message gives no position in all cases. */
export function jsonFaultPosition(text: string): JsonPosition {
  const before = text.slice(0, offsetOfFault(text)).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
