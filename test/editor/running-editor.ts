import type { EditorListen } from '../../src/editor/editor-options.ts';
import { EditorSupervisor } from '../../src/editor/editor-supervisor.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { memoryLog, type LogLine } from '../fakes/silent-log.ts';
import { FakeGateway } from './fake-gateway.ts';
import { nodePackage } from './node-package.ts';
import { eventually } from './poll.ts';

export interface RunningEditor {
  readonly gateway: FakeGateway;
  readonly supervisor: EditorSupervisor;
  readonly lines: readonly LogLine[];
  readonly url: string;
  /** Node-RED's admin API. */
  get(path: string): Promise<Response>;
  deploy(flow: readonly object[], options?: { rev?: string; type?: string }): Promise<Response>;
  stop(): Promise<void>;
}

/** A real editor process with the Cigale nodes, beside a gateway that is only its API. */
export async function runEditor(
  prepare: (gateway: FakeGateway) => void = () => {},
  listen: EditorListen = { host: '127.0.0.1', port: 0 },
): Promise<RunningEditor> {
  const gateway = await new FakeGateway().start();
  prepare(gateway);
  const log = memoryLog();
  const supervisor = new EditorSupervisor(
    {
      dataDir: gateway.dir,
      socketPath: gateway.socketPath,
      listen,
      language: 'fr',
      packageDir: nodePackage(gateway.dir),
    },
    { clock: systemClock, log, random: Math.random },
  );
  await supervisor.start();
  const ready = await eventually(() => supervisor.state.phase === 'ready' && supervisor.state, 30_000);
  await eventually(() => gateway.readers > 0);
  const url = ready.url ?? '';
  const headers = { 'content-type': 'application/json', 'node-red-api-version': 'v2', 'accept-language': 'fr' };
  return {
    gateway,
    supervisor,
    lines: log.lines,
    url,
    get: (path) => fetch(new URL(path, url), { headers }),
    deploy: (flows, { rev, type = 'nodes' } = {}) =>
      fetch(new URL('flows', url), {
        method: 'POST',
        headers: { ...headers, 'node-red-deployment-type': type },
        body: JSON.stringify({ flows, ...(rev === undefined ? {} : { rev }) }),
      }),
    async stop() {
      await supervisor.stop();
      await gateway.stop();
    },
  };
}
