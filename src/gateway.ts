import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ApiListener } from './api/listener.ts';
import type { GatewayPort } from './api/gateway-port.ts';
export type { GatewayPort } from './api/gateway-port.ts';
import type { EditorListen } from './editor/editor-options.ts';
import type { EditorSupervisor } from './editor/editor-supervisor.ts';
import type { Probe } from './health/watchdog.ts';
import type { Language } from './model/text.ts';
import { every, type Timer } from './runtime/clock.ts';
import { GatewayError, messageOf, systemCode } from './runtime/errors.ts';
import { background, stopAll, type Service } from './runtime/lifecycle.ts';
import { socketPath } from './runtime/socket-path.ts';
import { Timeline } from './runtime/timeline.ts';
import { openStore } from './store/sqlite-store.ts';
import type { Store } from './store/store.ts';
import type { Deps } from './wiring/deps.ts';
import { FlowControl } from './wiring/flow-control.ts';
import { gatewayPort } from './wiring/gateway-control.ts';
import { Injection } from './wiring/injection.ts';
import { LiveHub } from './wiring/live.ts';
import { timekeeperOf, type MachineTime } from './wiring/machine-time.ts';
import { PlanRunner } from './wiring/plan-runner.ts';
import { listSerialPorts } from './wiring/serial-ports.ts';
import { stageProbes } from './wiring/stage-probes.ts';
import { StatusReport } from './wiring/status-report.ts';
import type { ClockStatus, Timekeeper } from './wiring/timekeeper.ts';

const STATUS_INTERVAL_MS = 2000;
const HOUSEKEEPING_INTERVAL_MS = 600_000;

export interface GatewayOptions {
  readonly dataDir: string;
  /** Flow file to load when its content is new; empty: none. */
  readonly flowFile: string;
  readonly editor: EditorListen | 'off';
  readonly api: { readonly host: string; readonly port: number } | 'off';
  readonly language: Language;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called after each commit that appended records, with the greatest id on disk (fault tests read it). */
  readonly onAccepted?: (throughId: number) => void;
  /** Called when the running store turns out to be damaged: the process should end; its next start salvages the store. */
  readonly onStoreDamaged?: () => void;
  /** What the machine says of its boot and its clock; default: the kernel's boot id and the time services that we know. */
  readonly machine?: MachineTime;
}

/** The composition root: opens the store, runs the stored flow, serves the API, keeps the editor alive. No rule of its own. */
export class Gateway implements Service {
  readonly #options: GatewayOptions;
  readonly #deps: Deps;
  readonly #timeline: Timeline;
  readonly #live = new LiveHub();
  #timekeeper: Timekeeper | undefined;
  #store: Store | undefined;
  #runner: PlanRunner | undefined;
  #port: GatewayPort | undefined;
  #servers: ApiListener[] = [];
  #editor: EditorSupervisor | undefined;
  #timers: readonly Timer[] = [];

  constructor(options: GatewayOptions, deps: Deps) {
    this.#options = options;
    this.#timeline = new Timeline(deps.clock);
    this.#deps = { ...deps, clock: this.#timeline };
  }

  /** The gateway's own interface, in process (the demo uses it). */
  get port(): GatewayPort {
    if (this.#port === undefined) throw new Error('the gateway has not started');
    return this.#port;
  }

  get runner(): PlanRunner | undefined {
    return this.#runner;
  }

  /** What a watchdog asks, of the started gateway. */
  probes(): readonly Probe[] {
    const [store, runner] = [this.#store, this.#runner];
    return store === undefined || runner === undefined ? [] : stageProbes(store, runner, this.#deps);
  }

  /** Bound TCP port of the API; 0 when it is off. */
  get apiPort(): number {
    return this.#servers.at(-1)?.port() ?? 0;
  }

  /** Throws STORE_LOCKED when another gateway runs on the directory; neither a flow nor a taken TCP address keeps it from starting. */
  async start(): Promise<void> {
    const { dataDir, env, onStoreDamaged } = this.#options;
    const damaged = onStoreDamaged === undefined ? {} : { onDamaged: onStoreDamaged };
    const finalBelowId = (): number => (this.#runner === undefined ? 1 : (this.#timekeeper?.hold.heldFrom ?? 1));
    const store = await openStore({ dataDir, ...this.#deps, ...damaged, finalBelowId });
    this.#store = store;
    await store.start();
    const time = timekeeperOf(this.#options, store, this.#timeline, this.#deps);
    this.#timekeeper = time;
    await time.start();
    const deps = { ...this.#deps, time };
    const runner = new PlanRunner(store, this.#live, deps, time.hold.released);
    this.#runner = runner;
    if (this.#options.onAccepted !== undefined) this.#reportAccepted(store, this.#options.onAccepted);
    const flow = new FlowControl({
      store,
      live: this.#live,
      env,
      run: (plan, credentials) => runner.apply(plan, credentials),
      deps,
    });
    await runner.start();
    if (time.unknown !== null) runner.acceptance.gaps.timeUnknown(time.unknown.startAt, time.unknown.endAt);
    await flow.runStored();
    await this.#loadFlowFile(flow);
    const editor = (): EditorSupervisor['state'] | null => this.#editor?.state ?? null;
    const report = new StatusReport({ store, runner, flow, deps, dataDir, clock: () => time.status(), editor });
    this.#port = gatewayPort({
      store,
      flow,
      injection: new Injection(store, runner.acceptance, deps),
      live: this.#live,
      deps,
      status: () => report.status(),
      latest: () => runner.acceptance.latest.list(),
      heard: () => runner.lora.heard,
      registryInForce: () => runner.lora.registryInForce(),
      setClock: (utcMs) => time.setByPhone(utcMs),
      serialPorts: listSerialPorts,
    });
    await report.observe();
    await this.#serve();
    this.#timers = [
      every(deps.clock, STATUS_INTERVAL_MS, () => this.#live.publishStatuses(report.nodes())),
      every(deps.clock, HOUSEKEEPING_INTERVAL_MS, () =>
        background(Promise.all([this.#prune(store, flow), report.observe()]), deps.log, 'housekeeping failed'),
      ),
    ];
    deps.log.info({ dataDir: resolve(dataDir), flow: flow.runningVersion }, 'gateway started');
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    const { log } = this.#deps;
    await stopAll([...this.#servers, ...present(this.#editor)], log);
    this.#store?.drain();
    await stopAll([...present(this.#store), ...present(this.#timekeeper), ...present(this.#runner)], log);
    this.#store = undefined;
    this.#timekeeper = undefined;
    this.#runner = undefined;
    this.#servers = [];
    this.#editor = undefined;
  }

  async #loadFlowFile(flow: FlowControl): Promise<void> {
    const { flowFile } = this.#options;
    if (flowFile === '') return;
    try {
      const result = await flow.loadFile(resolve(flowFile), 'cigale run --flow');
      if (result.kind === 'deployed') return;
      this.#deps.log.error(
        { file: flowFile, faults: result.faults },
        'the flow file was refused; the stored flow goes on',
      );
    } catch (error) {
      this.#deps.log.error(
        { file: flowFile, error: messageOf(error) },
        'the flow file was not loaded; the stored flow goes on',
      );
    }
  }

  /** The API listens after the sources run: no sample waits for it. */
  async #serve(): Promise<void> {
    const { dataDir, api, editor, language, env } = this.#options;
    const common = { gateway: this.port, clock: this.#deps.clock, log: this.#deps.log };
    const listen = async (server: ApiListener): Promise<void> => {
      this.#servers.push(server);
      await server.start();
    };
    await listen(new ApiListener({ ...common, role: 'owner' }, { path: socketPath(dataDir, 'cigale.sock') }));
    const editorServer = (path: string): ApiListener => new ApiListener({ ...common, role: 'editor' }, { path });
    const ownSocket = env['CIGALE_EDITOR_SOCKET'] ?? '';
    if (editor === 'off' && ownSocket !== '') {
      const message = "the editor's socket cannot be served: the editor cannot deploy";
      await this.#serveIfPossible(listen(editorServer(ownSocket)), message);
    }
    if (editor !== 'off') {
      const path = socketPath(dataDir, 'editor.sock');
      await listen(editorServer(path));
      const { EditorSupervisor: Supervisor } = await import('./editor/editor-supervisor.ts');
      this.#editor = new Supervisor(
        { dataDir: resolve(dataDir), socketPath: path, listen: editor, language },
        this.#deps,
      );
      await this.#editor.start();
    }
    if (api !== 'off') {
      const server = new ApiListener({ ...common, role: 'remote', token: await apiToken(dataDir) }, api);
      await this.#serveIfPossible(
        listen(server),
        'the API over TCP cannot be served: its address is taken or not of this machine',
      );
    }
  }

  /** The editor that runs as a service of its own is nobody's child; without its socket it waits, and the gateway goes on. */
  /** An address that is taken costs the page or the editor, never a measurement. */
  async #serveIfPossible(listening: Promise<void>, message: string): Promise<void> {
    try {
      await listening;
    } catch (error) {
      this.#deps.log.error({ error: messageOf(error) }, message);
    }
  }

  #reportAccepted(store: Store, report: (throughId: number) => void): void {
    store.onCommitted((entries) => {
      const last = entries.at(-1);
      if (last !== undefined) report(last.id);
    });
  }

  async #prune(store: Store, flow: FlowControl): Promise<void> {
    const keepMs = flow.plan?.gateway.keepAfterAckMs;
    if (keepMs !== undefined) await store.pruneAcknowledged(this.#deps.clock.nowMs() - keepMs);
  }
}

const present = (part: Service | undefined): readonly Service[] => (part === undefined ? [] : [part]);

/** The token that the API over TCP asks for: made at the first start, readable by the owner only. */
export async function apiToken(dataDir: string): Promise<string> {
  const file = join(dataDir, 'api-token');
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  const token = randomBytes(18).toString('base64url');
  await writeFile(file, `${token}\n`, { mode: 0o600, flag: 'wx' });
  return token;
}

export interface OfflineGateway {
  readonly request: (
    method: string,
    path: string,
    body?: string | Buffer,
    type?: string,
  ) => Promise<{ status: number; body: string }>;
  readonly close: () => Promise<void>;
}

/** The store opened without a running gateway, behind the same API; throws STORE_LOCKED where one runs after all. */
export async function openOffline(dataDir: string, deps: Deps, env: GatewayOptions['env']): Promise<OfflineGateway> {
  // Nothing here knows which records wait for the clock.
  const store = await openStore({ dataDir, ...deps, finalBelowId: () => 1 });
  await store.start();
  const live = new LiveHub();
  const runner = new PlanRunner(store, live, deps);
  const flow = new FlowControl({ store, live, env, run: null, deps });
  await flow.runStored();
  const timeline = new Timeline(deps.clock);
  const clock = (): Promise<ClockStatus> => timekeeperOf({ env }, store, timeline, deps).status();
  const report = new StatusReport({ store, runner, flow, deps, dataDir, clock, editor: () => null });
  const gateway = gatewayPort({
    store,
    flow,
    injection: new Injection(store, runner.acceptance, deps),
    live,
    deps,
    status: () => report.status(),
    latest: () => [],
    heard: () => [],
    registryInForce: () => Promise.resolve(),
    setClock: () => Promise.reject(new GatewayError('GATEWAY_NOT_RUNNING', 'no gateway runs whose clock could be set')),
    serialPorts: listSerialPorts,
  });
  const { createApi } = await import('./api/server.ts');
  const app = createApi({ gateway, role: 'owner', clock: deps.clock, log: deps.log });
  return {
    request: async (method, path, body, type) => {
      const response = await app.inject({
        method: method as 'GET',
        url: path,
        ...(body === undefined ? {} : { payload: body, headers: { 'content-type': type ?? 'application/json' } }),
      });
      return { status: response.statusCode, body: response.body };
    },
    close: async () => {
      await app.close();
      await store.stop();
    },
  };
}
