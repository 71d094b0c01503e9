/** What a name of the environment stands for at one place of the flow. */
export type EnvValue =
  | { readonly kind: 'value'; readonly value: string | number | boolean }
  | { readonly kind: 'unsupported'; readonly type: string }
  | { readonly kind: 'unset' };

/**
 * Looks a name up as Node-RED 5 does (`getSetting` of its Flow, Group and Subflow classes): the innermost of group,
 * tab or subflow instance that names it decides, then `global-config`, then the process. `$parent.NAME` skips one level.
 */
export type Scope = (name: string) => EnvValue;

const UNSET: EnvValue = { kind: 'unset' };
const PARENT = '$parent.';

export const processScope =
  (env: Readonly<Record<string, string | undefined>>): Scope =>
  (name) =>
    Object.hasOwn(env, name) ? present(env[name]) : UNSET;

const isPlain = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

const present = (value: unknown): EnvValue => (isPlain(value) ? { kind: 'value', value } : UNSET);

/** One entry of an `env` list of a tab, group, subflow or instance. */
function evaluate(type: string, value: unknown): EnvValue {
  if (type === 'bool') return { kind: 'value', value: value === 'true' || value === true };
  if (!isPlain(value)) return { kind: 'unsupported', type };
  if (type === 'str' || type === '') return { kind: 'value', value: String(value) };
  if (type === 'num' && Number.isFinite(Number(value))) return { kind: 'value', value: Number(value) };
  return { kind: 'unsupported', type };
}

const typeOf = (entry: object): string => ('type' in entry && typeof entry.type === 'string' ? entry.type : '');

/** The named values of `env` lists; a later list overrides an earlier one, as an instance does its subflow. */
export function envEntries(...lists: readonly unknown[]): ReadonlyMap<string, EnvValue> {
  const entries = new Map<string, EnvValue>();
  for (const list of lists) {
    if (!Array.isArray(list)) continue;
    for (const entry of list as readonly unknown[]) {
      if (typeof entry !== 'object' || entry === null || !('name' in entry) || typeof entry.name !== 'string') continue;
      entries.set(entry.name, evaluate(typeOf(entry), 'value' in entry ? entry.value : ''));
    }
  }
  return entries;
}

/** A scope inside `parent`; `builtins` are the `NR_…` names of that level. */
export function innerScope(
  parent: Scope,
  entries: ReadonlyMap<string, EnvValue>,
  builtins: Readonly<Record<string, unknown>>,
): Scope {
  return (name) => {
    if (Object.hasOwn(builtins, name)) return present(builtins[name]);
    if (name.startsWith(PARENT)) return parent(name.slice(PARENT.length));
    return entries.get(name) ?? parent(name);
  };
}

/** A name that could not be replaced: `type` is its kind where it has one that only Node-RED evaluates. */
export interface EnvFailure {
  readonly name: string;
  readonly type: string;
}

const WHOLE = /^\$(?:\{([^}\s]+)\}|\(([^)\s]+)\))$/;
const EMBEDDED = /\$\{([^}\s]+)\}/g;
/** JSON of a form is never deeper; what is deeper is left as it stands. */
const MAX_DEPTH = 8;

function look(name: string, scope: Scope, failures: EnvFailure[]): string | number | boolean | undefined {
  const found = scope(name);
  if (found.kind === 'value') return found.value;
  failures.push({ name, type: found.kind === 'unsupported' ? found.type : '' });
  return undefined;
}

function substituteText(text: string, scope: Scope, failures: EnvFailure[]): unknown {
  const whole = WHOLE.exec(text);
  const name = whole?.[1] ?? whole?.[2];
  if (name !== undefined) return look(name, scope, failures) ?? text;
  return text.includes('${')
    ? text.replace(EMBEDDED, (match, inner: string) => String(look(inner, scope, failures) ?? match))
    : text;
}

/**
 * A property with its `${NAME}` replaced, in lists and objects too. A text that is nothing but `${NAME}` takes the value's
 * own type; inside a longer text it is written out. Names that could not be replaced are added to `failures`.
 */
export function substitute(value: unknown, scope: Scope, failures: EnvFailure[], depth = 0): unknown {
  if (typeof value === 'string') return substituteText(value, scope, failures);
  if (typeof value !== 'object' || value === null || depth >= MAX_DEPTH) return value;
  if (Array.isArray(value)) return value.map((item) => substitute(item, scope, failures, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, substitute(item, scope, failures, depth + 1)]),
  );
}
