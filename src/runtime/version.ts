import { readFileSync } from 'node:fs';

/** Version of the installed package. */
export function productVersion(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    const found = readVersion(new URL(up, import.meta.url));
    if (found !== null) return found;
  }
  return '0.0.0';
}

function readVersion(file: URL): string | null {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const isOurs =
      typeof parsed === 'object' && parsed !== null && 'name' in parsed && parsed.name === '@cigale/gateway';
    return isOurs && 'version' in parsed && typeof parsed.version === 'string' ? parsed.version : null;
  } catch {
    // Not at this depth: the built module lies one folder deeper than the source.
    return null;
  }
}
