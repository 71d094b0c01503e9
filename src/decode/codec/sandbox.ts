import type { QuickJSWASMModule } from 'quickjs-emscripten';
import type { CodecJob, CodecOutcome } from './codec-messages.ts';
import { Deadline } from './deadline.ts';
import { ScriptContext } from './script-context.ts';

const CPU_LIMIT_MS = 50;
/** Scripts kept warm; a fleet speaks through a handful of models. */
const MAX_WARM = 12;
const PAGE_BYTES = 65_536;
/** What the engine's build asks for at least. */
const INITIAL_PAGES = (16 * 1024 * 1024) / PAGE_BYTES;
/** Room for every warm script at its own limit of 8 MB. */
const MAX_PAGES = (128 * 1024 * 1024) / PAGE_BYTES;

const cpuMicros = (): number => {
  const { user, system } = process.threadCpuUsage();
  return user + system;
};

/** The QuickJS engine with one context a script. It lives in the codec worker. */
export class Sandbox {
  readonly #engine: QuickJSWASMModule;
  readonly #deadline = new Deadline(CPU_LIMIT_MS, cpuMicros);
  /** Least recently used first. */
  readonly #warm = new Map<string, ScriptContext>();
  #scripts: ReadonlyMap<string, string> = new Map();

  private constructor(engine: QuickJSWASMModule) {
    this.#engine = engine;
  }

  static async open(): Promise<Sandbox> {
    const { newQuickJSWASMModule, newVariant, RELEASE_SYNC } = await import('quickjs-emscripten');
    const wasmMemory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAX_PAGES });
    return new Sandbox(await newQuickJSWASMModule(newVariant(RELEASE_SYNC, { wasmMemory })));
  }

  setScripts(scripts: ReadonlyMap<string, string>): void {
    for (const codec of this.#warm.keys()) if (scripts.get(codec) !== this.#scripts.get(codec)) this.#cool(codec);
    this.#scripts = scripts;
  }

  /** Never throws: what the engine itself throws (its own stack exhausted by the script) gives `crashed`. */
  run(job: CodecJob): CodecOutcome {
    try {
      return job.kind === 'check' ? this.#check(job.script) : this.#decode(job.codec, job.input);
    } catch {
      return { kind: 'crashed' };
    }
  }

  #check(script: string): CodecOutcome {
    const loaded = ScriptContext.load(this.#engine, script, this.#deadline);
    if (loaded.kind !== 'loaded') return loaded;
    loaded.context.dispose();
    return { kind: 'valid' };
  }

  #decode(codec: string, input: string): CodecOutcome {
    const context = this.#warm.get(codec) ?? this.#load(codec);
    if (!(context instanceof ScriptContext)) return context;
    this.#warm.delete(codec);
    this.#warm.set(codec, context);
    const outcome = context.decode(input);
    // What was cut short may have left its globals half changed, or its heap full.
    if (outcome.kind === 'timeout' || outcome.kind === 'error') this.#cool(codec);
    return outcome;
  }

  #load(codec: string): ScriptContext | CodecOutcome {
    const script = this.#scripts.get(codec);
    if (script === undefined) return { kind: 'missing' };
    if (this.#warm.size >= MAX_WARM) {
      const [oldest] = this.#warm.keys();
      if (oldest !== undefined) this.#cool(oldest);
    }
    const loaded = ScriptContext.load(this.#engine, script, this.#deadline);
    return loaded.kind === 'loaded' ? loaded.context : loaded;
  }

  #cool(codec: string): void {
    this.#warm.get(codec)?.dispose();
    this.#warm.delete(codec);
  }
}
