import type { QuickJSContext, QuickJSHandle, QuickJSRuntime, QuickJSWASMModule } from 'quickjs-emscripten';
import type { CodecOutcome } from './codec-messages.ts';
import { MAX_RESULT_BYTES } from './codec-result.ts';
import type { Deadline } from './deadline.ts';

const MEMORY_LIMIT_BYTES = 8 * 1024 * 1024;
const STACK_LIMIT_BYTES = 256 * 1024;
/** Name under which the engine reports lines of the script. */
const SCRIPT_NAME = 'codec.js';
const MAX_MESSAGE_LENGTH = 200;

/**
 * Runs inside the sandbox before the script does, so that what it captured is the engine's own. One string goes in, one
 * comes out: no object is ever shared. The first character says what the rest is.
 */
const ENTRY = `(() => {
  const { parse, stringify } = JSON;
  const DateOf = Date;
  const text = String;
  return (decodeUplink) => (given) => {
    const input = parse(given);
    input.recvTime = new DateOf(input.recvTime);
    let result;
    try {
      result = stringify(decodeUplink(input));
    } catch (error) {
      return 'E' + text(error).slice(0, ${MAX_MESSAGE_LENGTH});
    }
    if (typeof result !== 'string') return 'N';
    return result.length > ${MAX_RESULT_BYTES} ? 'L' : 'R' + result;
  };
})()`;

type Loaded = { readonly kind: 'loaded'; readonly context: ScriptContext };
type Failure = Extract<CodecOutcome, { kind: 'timeout' | 'error' }>;

/** One script in an engine of its own (runtime, heap, globals), kept warm between calls. */
export class ScriptContext {
  readonly #runtime: QuickJSRuntime;
  readonly #context: QuickJSContext;
  readonly #deadline: Deadline;
  #entry: QuickJSHandle | null = null;

  private constructor(engine: QuickJSWASMModule, deadline: Deadline) {
    this.#deadline = deadline;
    this.#runtime = engine.newRuntime({
      memoryLimitBytes: MEMORY_LIMIT_BYTES,
      maxStackSizeBytes: STACK_LIMIT_BYTES,
      interruptHandler: () => deadline.isOver(),
    });
    this.#context = this.#runtime.newContext();
  }

  /** Evaluates a script; throws only when the engine itself broke. */
  static load(engine: QuickJSWASMModule, script: string, deadline: Deadline): Loaded | Failure {
    const context = new ScriptContext(engine, deadline);
    const failure = context.#evaluate(script);
    if (failure === null) return { kind: 'loaded', context };
    context.dispose();
    return failure;
  }

  /** `input` is the JSON text of `{bytes, fPort, recvTime}`. Throws only when the engine itself broke. */
  decode(input: string): CodecOutcome {
    if (this.#entry === null) return { kind: 'missing' };
    this.#deadline.restart();
    const argument = this.#context.newString(input);
    const result = this.#context.callFunction(this.#entry, this.#context.undefined, argument);
    argument.dispose();
    if (result.error !== undefined) return this.#failure(result.error);
    const text = this.#context.getString(result.value);
    result.value.dispose();
    return outcomeOf(text);
  }

  dispose(): void {
    this.#entry?.dispose();
    this.#entry = null;
    this.#context.dispose();
    this.#runtime.dispose();
  }

  #evaluate(script: string): Failure | null {
    this.#deadline.restart();
    const makeEntry = this.#run(ENTRY);
    if ('kind' in makeEntry) return makeEntry;
    const failure = this.#enter(script, makeEntry.handle);
    makeEntry.handle.dispose();
    return failure;
  }

  #enter(script: string, makeEntry: QuickJSHandle): Failure | null {
    const loaded = this.#run(script);
    if ('kind' in loaded) return loaded;
    loaded.handle.dispose();
    // A function declaration and a top-level const are both visible here; only the first is a property of globalThis.
    const found = this.#run(`typeof decodeUplink === 'function' ? decodeUplink : undefined`);
    if ('kind' in found) return found;
    const isFunction = this.#context.typeof(found.handle) === 'function';
    const entry = isFunction ? this.#context.callFunction(makeEntry, this.#context.undefined, found.handle) : null;
    found.handle.dispose();
    if (entry === null) return { kind: 'error', message: 'the script defines no function decodeUplink', line: null };
    if (entry.error !== undefined) return this.#failure(entry.error);
    this.#entry = entry.value;
    return null;
  }

  /** The engine's handles must all be disposed: it aborts when a context with a live one is. */
  #run(code: string): { readonly handle: QuickJSHandle } | Failure {
    const result = this.#context.evalCode(code, SCRIPT_NAME);
    return result.error === undefined ? { handle: result.value } : this.#failure(result.error);
  }

  #failure(error: QuickJSHandle): Failure {
    if (this.#deadline.wasOver) {
      error.dispose();
      return { kind: 'timeout' };
    }
    const { message, line } = describe(this.#context.dump(error));
    error.dispose();
    return { kind: 'error', message, line };
  }
}

function outcomeOf(text: string): CodecOutcome {
  switch (text.charAt(0)) {
    case 'R':
      return { kind: 'result', text: text.slice(1) };
    case 'L':
      return { kind: 'too-large' };
    case 'N':
      return { kind: 'no-result' };
    default:
      return { kind: 'error', message: text.slice(1, MAX_MESSAGE_LENGTH + 1), line: null };
  }
}

/** The engine names the place of an error in its stack only: `at codec.js:12:3`. */
function describe(thrown: unknown): { readonly message: string; readonly line: number | null } {
  const fields: Readonly<Record<string, unknown>> =
    typeof thrown === 'object' && thrown !== null ? { ...thrown } : { message: String(thrown) };
  const { name, message, stack } = fields;
  const line = /codec\.js:(\d+)/.exec(typeof stack === 'string' ? stack : '')?.[1];
  const text = [name, message].filter((part) => typeof part === 'string' && part !== '').join(': ');
  return { message: text.slice(0, MAX_MESSAGE_LENGTH), line: line === undefined ? null : Number(line) };
}
