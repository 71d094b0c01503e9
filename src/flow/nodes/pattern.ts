export type PatternProblem = 'missing' | 'syntax' | 'no-group' | 'group-unknown';

/** Groups of an expression, by number (`"1"`) and by name; undefined where it does not compile. */
function groupsOf(pattern: string): ReadonlySet<string> | undefined {
  try {
    // An empty alternative matches the empty text, so the result lists every group.
    const match = new RegExp(`${pattern}|`).exec('');
    const numbers = Array.from({ length: (match?.length ?? 1) - 1 }, (_, index) => String(index + 1));
    return new Set([...numbers, ...Object.keys(match?.groups ?? {})]);
  } catch {
    return undefined;
  }
}

/** What is wrong with a line pattern whose `keys` name groups, or null. */
export function patternProblem(pattern: string, keys: readonly string[]): PatternProblem | null {
  if (pattern === '') return 'missing';
  const groups = groupsOf(pattern);
  if (groups === undefined) return 'syntax';
  if (groups.size === 0) return 'no-group';
  return keys.every((key) => groups.has(key)) ? null : 'group-unknown';
}
