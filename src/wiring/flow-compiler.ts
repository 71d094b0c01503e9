import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import type { CompiledFlow } from '../flow/compile.ts';
import type { Plan } from '../model/plan.ts';
import { productVersion } from '../runtime/version.ts';
import type { Store } from '../store/store.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const NAMES = /\$\{([^}]+)\}/g;

/**
 * Compiles flows, and knows the plan of the one that was compiled last: a gateway that starts with the same flow, the same
 * environment and the same code takes that plan and does not load the compiler (17 MB with its schema library).
 */
export class FlowCompiler {
  readonly #store: Store;
  readonly #env: Environment;

  constructor(store: Store, env: Environment) {
    this.#store = store;
    this.#env = env;
  }

  /** The plan of a stored flow, or all its faults. */
  async compileStored(json: string): Promise<CompiledFlow> {
    const known = await this.#store.compiledPlan();
    if (known !== undefined && known.key === (await this.#key(json))) {
      return { plan: JSON.parse(known.plan) as Plan, faults: [], notices: [] };
    }
    const { parseFlow } = await import('../flow/read-flow.ts');
    const { flow, fault } = parseFlow(json);
    return fault === null ? this.compile(flow) : { plan: null, faults: [fault], notices: [] };
  }

  async compile(flow: unknown): Promise<CompiledFlow> {
    const { compileFlow } = await import('../flow/compile.ts');
    return compileFlow(flow, { env: this.#env });
  }

  /** Remembers what a stored flow compiled to. */
  async remember(json: string, plan: Plan): Promise<void> {
    const key = await this.#key(json);
    if ((await this.#store.compiledPlan())?.key !== key) await this.#store.saveCompiledPlan(key, JSON.stringify(plan));
  }

  /** Equal for the same flow text, values of the variables it names, product version and compiler files. */
  async #key(json: string): Promise<string> {
    const names = [...new Set([...json.matchAll(NAMES)].map((match) => match[1] ?? ''))].toSorted();
    const values = names.map((name) => [name, this.#env[name] ?? null]);
    const facts = JSON.stringify([productVersion(), await newestCompilerFile(), values]);
    return createHash('sha256').update(facts).update(json).digest('hex');
  }
}

/** When the compiler's own modules were last changed: a checkout changes without a new version. */
async function newestCompilerFile(): Promise<number> {
  const folder = new URL('../flow/', import.meta.url);
  const files = await readdir(folder, { recursive: true });
  const times = await Promise.all(files.map(async (file) => (await stat(new URL(file, folder))).mtimeMs));
  return Math.max(...times);
}
