import { join } from 'node:path';
import type { Credentials } from './credential-text.ts';
import { EditorLibrary } from './editor-library.ts';
import type { FlowStorage } from './flow-storage.ts';
import { readJson, writeJson } from './local-files.ts';

/** Node-RED's storage API: flows and credentials in the gateway, the editor's own state in files. */
export function createStorageModule(flows: FlowStorage, userDir: string): object {
  const settingsPath = join(userDir, 'settings.json');
  const sessionsPath = join(userDir, 'sessions.json');
  const library = new EditorLibrary(userDir);
  return {
    init: async () => {},
    getFlows: () => flows.getFlows(),
    saveFlows: (flow: readonly unknown[], user?: { readonly username?: string } | null) =>
      flows.saveFlows(flow, user?.username ?? 'editor'),
    getCredentials: () => flows.getCredentials(),
    saveCredentials: async (credentials: Credentials) => flows.saveCredentials(credentials),
    getSettings: async () => (await readJson(settingsPath)) ?? {},
    saveSettings: (settings: unknown) => writeJson(settingsPath, settings),
    getSessions: async () => (await readJson(sessionsPath)) ?? {},
    saveSessions: (sessions: unknown) => writeJson(sessionsPath, sessions),
    getLibraryEntry: (type: string, path: string) => library.read(type, path),
    saveLibraryEntry: (type: string, path: string, meta: object, body: unknown) =>
      library.write(type, path, meta, body),
  };
}
