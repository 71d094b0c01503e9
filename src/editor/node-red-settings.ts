import type { EditorOptions } from './editor-options.ts';
import type { GatewayLink } from './gateway-link.ts';
import type { Handler } from './node-red-api.ts';

/**
 * Node-RED's own nodes that are left out: those that run programs, touch files or open connections. What speaks to the
 * outside is the gateway, with its bounds and its counters. A technician's tools stay: inject, debug, function, change,
 * switch, template, comment, catch, status, complete, link, delay, trigger, split, join and the parsers.
 */
export const EXCLUDED_CORE_NODES = [
  '90-exec.js',
  '05-tls.js',
  '06-httpproxy.js',
  '10-mqtt.js',
  '21-httpin.js',
  '21-httprequest.js',
  '22-websocket.js',
  '31-tcpin.js',
  '32-udp.js',
  '10-file.js',
  '23-watch.js',
] as const;

/** The name under which flow nodes find the link to the gateway in `RED.settings`; never sent to the page. */
export const LINK_SETTING = 'cigaleGatewayLink';

interface Parts {
  readonly options: EditorOptions;
  readonly storageModule: object;
  readonly link: GatewayLink;
  readonly middleware: Handler;
}

export function nodeRedSettings({ options, storageModule, link, middleware }: Parts): object {
  const { userDir, packageDir, language, listen, safeMode } = options;
  return {
    userDir,
    nodesDir: packageDir,
    nodesExcludes: [...EXCLUDED_CORE_NODES],
    storageModule,
    [LINK_SETTING]: link,
    // The gateway encrypts; a second key in the editor's files would only be one more thing to lose.
    credentialSecret: false,
    lang: language === 'fr' ? 'fr' : 'en-US',
    safeMode,
    httpAdminRoot: listen === 'headless' ? false : '/',
    httpNodeRoot: false,
    httpAdminMiddleware: middleware,
    disableEditor: listen === 'headless',
    functionExternalModules: false,
    externalModules: {
      autoInstall: false,
      palette: { allowInstall: false, allowUpdate: false, allowUpload: false },
      modules: { allowInstall: false },
    },
    telemetry: { enabled: false, updateNotification: false },
    diagnostics: { enabled: true, ui: true },
    runtimeState: { enabled: true, ui: true },
    nodeCloseTimeout: 5000,
    debugMaxLength: 1000,
    logging: { console: { level: 'info', metrics: false, audit: false } },
    editorTheme: {
      tours: false,
      page: { title: 'Cigale' },
      header: { title: 'Cigale' },
      palette: { categories: ['Cigale', 'subflows', 'common', 'function', 'sequence', 'parser'] },
      menu: { 'menu-item-help': { label: 'Node-RED', url: 'https://nodered.org/docs' } },
      deployButton: { type: 'default' },
      codeEditor: { lib: 'ace' },
      projects: { enabled: false },
      multiplayer: { enabled: false },
    },
  };
}
