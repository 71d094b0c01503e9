/**
 * The editor process: Node-RED with the Cigale nodes. It holds no data, and its end, of whatever cause, does not touch the
 * gateway. As the gateway's child it ends when the channel closes; as a service of its own it has no channel, and systemd
 * restarts it.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock, sleep, every } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { background } from '../runtime/lifecycle.ts';
import { createLog } from '../runtime/log.ts';
import { Backoff } from '../runtime/retry.ts';
import { SdNotify } from '../runtime/sd-notify.ts';
import { checkListen, type EditorOptions } from './editor-options.ts';
import type { ChildReport, ParentOrder } from './editor-protocol.ts';
import { ALIVE_EVERY_MS, STOP_DEADLINE_MS } from './editor-protocol.ts';
import { addEditorRoutes } from './editor-routes.ts';
import { createEditorServer, listen, serve } from './editor-server.ts';
import { FlowReloader } from './flow-reloader.ts';
import { FlowStorage } from './flow-storage.ts';
import { GatewayClient } from './gateway-client.ts';
import { GatewayLink } from './gateway-link.ts';
import { installMessageGate } from './message-gate.ts';
import type { NodeRed } from './node-red-api.ts';
import { nodeRedSettings } from './node-red-settings.ts';
import { installPlaceholders } from './placeholders.ts';
import { RefusalResponse } from './refusal-response.ts';
import { StartHistory } from './start-history.ts';
import { createStorageModule } from './storage-module.ts';

const log = createLog('info');
const options = JSON.parse(process.argv[2] ?? '{}') as EditorOptions;
const systemd = new SdNotify(process.env, log);
/** Null where the gateway keeps it. */
const history = process.connected ? null : new StartHistory(options.userDir);

const report = (message: ChildReport): void => {
  if (process.connected) process.send?.(message);
};

/** Node-RED takes a flow that cannot be read for an empty one, so it is not started before the gateway answers. */
async function gatewayAnswers(client: GatewayClient): Promise<void> {
  const backoff = new Backoff({ firstMs: 200, maxMs: 5000, jitter: 0.5, random: Math.random });
  for (;;) {
    const [answer] = await Promise.allSettled([client.call('/v1/flow')]);
    if (answer.status === 'fulfilled' && answer.value.ok) return;
    await sleep(systemClock, backoff.nextDelayMs());
  }
}

/** Node-RED wants a package file where third-party nodes are installed. */
function prepareFolder(userDir: string): void {
  mkdirSync(userDir, { recursive: true, mode: 0o700 });
  const path = join(userDir, 'package.json');
  if (!existsSync(path)) writeFileSync(path, '{"name":"cigale-third-party-nodes","private":true}\n');
}

async function run(): Promise<NodeRed> {
  checkListen(options.listen);
  prepareFolder(options.userDir);
  const safeMode = history?.begin(systemClock.monotonicMs()) ?? options.safeMode;
  if (safeMode && history !== null)
    log.warn({}, 'the flows stay stopped until the next deploy: the editor died too often');
  const client = new GatewayClient(options.socketPath);
  await gatewayAnswers(client);
  const { default: library } = await import('node-red');
  const nodeRed = library as unknown as NodeRed;
  const link = new GatewayLink({ client, language: options.language, clock: systemClock, random: Math.random, log });
  const refusals = new RefusalResponse();
  const storage = new FlowStorage(client, options.language, (refusal) => {
    refusals.remember(refusal);
    if (refusal?.code === 'version_mismatch') reloader.wantNewest();
  });
  const reloader = new FlowReloader(storage, nodeRed, log);
  const storageModule = createStorageModule(storage, options.userDir);
  const server = createEditorServer();
  nodeRed.init(
    server,
    nodeRedSettings({ options: { ...options, safeMode }, storageModule, link, middleware: refusals.middleware }),
  );
  installMessageGate(nodeRed);
  installPlaceholders(nodeRed, options.language, (types) => {
    log.warn({ types }, 'node types are not installed');
    // Node-RED had stopped in the middle of a partial deploy; only a whole start leaves no node with an old setting.
    if (running !== undefined) reloader.reload();
  });
  link.onFlow((version) => reloader.want(version));
  if (options.listen !== 'headless') addEditorRoutes(nodeRed.httpAdmin, { client, refusals });
  await nodeRed.start();
  await link.start();
  let url: string | null = null;
  if (options.listen !== 'headless') {
    serve(server, nodeRed.httpAdmin);
    url = await listen(server, options.listen.host, options.listen.port);
  }
  report({ type: 'ready', url });
  return nodeRed;
}

/** Ends the process, with a deadline for nodes that do not close. */
function end(code: number, nodeRed?: NodeRed): void {
  systemClock.after(STOP_DEADLINE_MS, () => process.exit(code));
  background(
    (nodeRed?.stop() ?? Promise.resolve()).finally(() => process.exit(code)),
    log,
    'Node-RED did not stop cleanly',
  );
}

let running: NodeRed | undefined;
process.on('disconnect', () => end(0, running));
process.on('message', (order: ParentOrder) => {
  if (order.type === 'stop') end(0, running);
});
// The terminal's Ctrl-C reaches this process too; the gateway decides when it ends.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {
  history?.endCleanly();
  end(0, running);
});
every(systemClock, ALIVE_EVERY_MS, () => {
  report({ type: 'alive' });
  background(systemd.alive(), log, 'systemd was not told');
});
try {
  running = await run();
} catch (error) {
  log.error({ error: messageOf(error) }, 'the editor could not start');
  report({ type: 'failed', message: messageOf(error) });
  end(1);
}
