import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { CurrentFlow, DeployRequest, DeployResult, FlowCheck } from '../api/gateway-port.ts';
import type { FlowFault } from '../model/fault.ts';
import type { Plan } from '../model/plan.ts';
import { GatewayError, messageOf } from '../runtime/errors.ts';
import { background } from '../runtime/lifecycle.ts';
import type { Store } from '../store/store.ts';
import type { Credentials } from './forwarding.ts';
import type { Deps } from './deps.ts';
import { FlowCompiler } from './flow-compiler.ts';
import { GatewayIdentity } from './gateway-identity.ts';
import type { LiveHub } from './live.ts';

/** How many stored versions are tried at start before the gateway runs an empty plan. */
const MAX_VERSIONS_TRIED = 50;

export interface FlowControlOptions {
  readonly store: Store;
  readonly live: LiveHub;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Runs a plan; absent where the store is open without a running gateway. */
  readonly run: ((plan: Plan, credentials: Credentials) => Promise<void>) | null;
  readonly deps: Deps;
}

/** Flow versions: compiled, stored, run. What does not compile is refused with every fault, and what ran goes on. */
export class FlowControl {
  readonly #options: FlowControlOptions;
  readonly #compiler: FlowCompiler;
  readonly #identity: GatewayIdentity;
  #running = 0;
  #plan: Plan | null = null;
  #faults: readonly FlowFault[] = [];
  #deploying: Promise<unknown> = Promise.resolve();

  constructor(options: FlowControlOptions) {
    this.#options = options;
    this.#compiler = new FlowCompiler(options.store, options.env);
    this.#identity = new GatewayIdentity(options.store);
  }

  get runningVersion(): number {
    return this.#running;
  }

  get plan(): Plan | null {
    return this.#plan;
  }

  /** Faults of the newest stored flow, when it is not the one that runs. */
  get faults(): readonly FlowFault[] {
    return this.#faults;
  }

  /** Runs the newest stored version that compiles; with none the gateway runs empty and says so. */
  async runStored(): Promise<void> {
    const { store, deps } = this.#options;
    for (const { version } of await store.flowVersions(MAX_VERSIONS_TRIED)) {
      const stored = await store.flow(version);
      if (stored === undefined) continue;
      const { plan, faults } = await this.#compiler.compileStored(stored.json);
      if (plan !== null) {
        const renamed = await this.#identity.faultOf(plan);
        if (renamed !== null) this.#faults = [renamed];
        await this.#run(version, await this.#identity.underFixedId(plan));
        // Not waited for: a full disk may never take it, and the gateway starts all the same.
        background(
          this.#compiler.remember(stored.json, plan),
          deps.log,
          'the plan could not be kept for the next start',
        );
        return;
      }
      if (this.#faults.length === 0) this.#faults = faults;
      deps.log.error({ version, faults: faults.length }, 'a stored flow does not compile; an older version is tried');
    }
  }

  /** `--flow FILE`: a new version when the file's content differs from the last one loaded from it. */
  async loadFile(file: string, author: string): Promise<DeployResult> {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      throw new GatewayError('FILE_UNREADABLE', `cannot read the flow file ${file}: ${messageOf(error)}`, {
        cause: error,
        context: { file },
      });
    }
    const checksum = createHash('sha256').update(text).digest('hex');
    const isKnown = (await this.#options.store.lastLoaded(file)) === checksum;
    // A damage may have left the note of the file and taken the version made from it.
    if (isKnown && this.#running > 0 && (await this.#isKept(checksum)))
      return { kind: 'deployed', version: this.#running };
    const { parseFlow } = await import('../flow/read-flow.ts');
    const { flow, fault } = parseFlow(text);
    const result: DeployResult =
      fault === null
        ? await this.#exclusive(() => this.#deploy(flow, text, null, author, file))
        : { kind: 'refused', faults: [fault] };
    if (result.kind === 'refused') this.#faults = result.faults;
    return result;
  }

  /** Whether a whole version has this text; said of every text once the first versions are no longer looked at. */
  async #isKept(checksum: string): Promise<boolean> {
    const { store } = this.#options;
    const versions = await store.flowVersions(MAX_VERSIONS_TRIED);
    if (versions.at(-1)?.version !== 1) return true;
    for (const { version } of versions.filter((one) => one.checksum === checksum))
      if ((await store.flow(version)) !== undefined) return true;
    return false;
  }

  async check(flow: unknown): Promise<FlowCheck> {
    const { faults, notices } = await this.#compiler.compile(flow);
    return { faults, notices };
  }

  async current(): Promise<CurrentFlow> {
    const [newest] = await this.#options.store.flowVersions(1);
    const stored = newest === undefined ? undefined : await this.#options.store.flow(newest.version);
    return stored === undefined
      ? { version: 0, flow: [] }
      : { version: stored.version.version, flow: nodesOf(stored.json) };
  }

  /** Throws FLOW_CONFLICT when somebody deployed since `expectedVersion`. */
  deploy(request: DeployRequest): Promise<DeployResult> {
    return this.#exclusive(async () => {
      const { version } = await this.current();
      if (request.expectedVersion !== null && request.expectedVersion !== version) {
        throw new GatewayError(
          'FLOW_CONFLICT',
          `version ${version} was deployed since version ${request.expectedVersion}`,
          { context: { version } },
        );
      }
      return this.#deploy(request.flow, JSON.stringify(request.flow), request.credentials, request.author, '');
    });
  }

  rollback(version: number, author: string): Promise<DeployResult> {
    return this.#exclusive(async () => {
      const stored = await this.#options.store.flow(version);
      if (stored === undefined) {
        throw new GatewayError('FLOW_VERSION_UNKNOWN', `there is no flow version ${version}`, { context: { version } });
      }
      return this.#deploy(nodesOf(stored.json), stored.json, null, author, '');
    });
  }

  async setSecret(node: string, field: string, value: string): Promise<void> {
    await this.#exclusive(async () => {
      const before = await this.#options.store.credentials();
      await this.#options.store.saveCredentials({ ...before, [node]: { ...before[node], [field]: value } });
      if (this.#plan !== null) await this.#run(this.#running, this.#plan);
    });
  }

  async #deploy(
    flow: unknown,
    json: string,
    credentials: Credentials | null,
    author: string,
    origin: string,
  ): Promise<DeployResult> {
    const { store, deps, live } = this.#options;
    const result = await this.#compiler.compile(flow);
    if (result.plan === null) return { kind: 'refused', faults: result.faults };
    const renamed = await this.#identity.faultOf(result.plan);
    if (renamed !== null) return { kind: 'refused', faults: [renamed] };
    if (credentials !== null) await store.saveCredentials(credentials);
    const { version } = await store.saveFlow(json, author, origin, deps.clock.nowMs());
    this.#faults = [];
    await this.#run(version, result.plan);
    await this.#compiler.remember(json, result.plan);
    live.publish({ event: 'flow', data: { version, author } });
    deps.log.info({ version, author }, 'flow deployed');
    return { kind: 'deployed', version };
  }

  async #run(version: number, plan: Plan): Promise<void> {
    // Ahead of the first batch in the commit queue; not waited for, because a full disk may never take it.
    background(this.#identity.remember(plan), this.#options.deps.log, 'the id of the gateway could not be kept');
    await this.#options.run?.(plan, await this.#options.store.credentials());
    this.#running = version;
    this.#plan = plan;
  }

  /** Deploys one after the other: the version that is checked is the version that is replaced. */
  #exclusive<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#deploying.then(work);
    this.#deploying = Promise.allSettled([result]);
    return result;
  }
}

/** Stored flows were an array when they were deployed. */
function nodesOf(json: string): readonly unknown[] {
  const parsed: unknown = JSON.parse(json);
  return Array.isArray(parsed) ? parsed : [];
}
