/** Splits at a separator; blanks as separator count once, however many they are. */
export const splitFields = (text: string, separator: string): string[] =>
  separator === ' ' ? text.trim().split(/ +/) : text.split(separator);

/** Fields of a line in which some are quoted (RFC 4180: `""` is a quote); null when a quote is left open. */
export function splitQuoted(text: string, separator: string): string[] | null {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const isQuoted = text[at] === '"';
    const end = isQuoted ? closingQuote(text, at + 1) : text.indexOf(separator, at);
    if (isQuoted && end === -1) return null;
    const stop = end === -1 ? text.length : end;
    fields.push(isQuoted ? text.slice(at + 1, stop).replaceAll('""', '"') : text.slice(at, stop));
    const next = isQuoted ? stop + 1 : stop;
    if (next >= text.length) return fields;
    if (!text.startsWith(separator, next)) return null;
    at = next + separator.length;
  }
}

function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 2)) if (text[at + 1] !== '"') return at;
  return -1;
}
