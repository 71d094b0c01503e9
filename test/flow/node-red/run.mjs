/** Runs the flow given on standard input in Node-RED's runtime, without its editor; prints what the probes saw as JSON. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const nodeRed = createRequire(createRequire(import.meta.url).resolve('node-red'));
const { events, init: initUtil } = nodeRed('@node-red/util');
const runtime = nodeRed('@node-red/runtime');
const userDir = mkdtempSync(join(tmpdir(), 'cigale-node-red-'));
const nodesDir = join(userDir, 'probe');
mkdirSync(nodesDir);
copyFileSync(new URL('./probe.cjs', import.meta.url), join(nodesDir, 'probe.js'));
writeFileSync(join(nodesDir, 'package.json'), '{"type":"commonjs"}');
writeFileSync(join(nodesDir, 'probe.html'), '');

const flows = JSON.parse(readFileSync(0, 'utf8'));
const nothing = async () => ({});
const storageModule = {
  init: nothing,
  getFlows: async () => flows,
  saveFlows: nothing,
  getCredentials: nothing,
  saveCredentials: nothing,
  getSettings: nothing,
  saveSettings: nothing,
  getSessions: nothing,
  saveSessions: nothing,
};
const coreNodesDir = dirname(nodeRed.resolve('@node-red/nodes/package.json'));
const settings = {
  userDir,
  nodesDir,
  coreNodesDir,
  storageModule,
  probe: {},
  httpAdminRoot: false,
  httpNodeRoot: false,
  credentialSecret: false,
  telemetry: { enabled: false },
  externalModules: { autoInstall: false, palette: { allowInstall: false } },
  logging: { console: { level: 'off' } },
  nodesExcludes: readdirSync(join(coreNodesDir, 'core'), { recursive: true })
    .map((file) => file.split('/').at(-1))
    .filter((file) => file.endsWith('.js') && !/link|junction|global/.test(file)),
};

const turns = async (count) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
};

initUtil(settings);
runtime.init(settings);
const started = new Promise((resolve) => {
  events.once('flows:started', resolve);
});
await runtime.start();
await started;
const { probe } = settings;
for (const { id } of probe.started) runtime._.nodes.getNode(id).emitAll();
await turns(200);
process.stdout.write(JSON.stringify({ started: probe.started, arrivals: [...new Set(probe.arrivals)] }));
await runtime.stop();
rmSync(userDir, { recursive: true, force: true });
process.exitCode = 0;
