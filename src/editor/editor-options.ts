import type { Language } from '../model/text.ts';
import { GatewayError } from '../runtime/errors.ts';

/** Where the editor's page listens; `headless` runs foreign nodes without any HTTP. */
export type EditorListen = { readonly host: string; readonly port: number } | 'headless';

/** What the editor process needs to know; plain data, handed over as one JSON argument. */
export interface EditorOptions {
  /** Folder of the editor's own files: settings, sessions, library, third-party nodes. */
  readonly userDir: string;
  /** The gateway's restricted socket: the only thing the editor process speaks to. */
  readonly socketPath: string;
  readonly listen: EditorListen;
  readonly language: Language;
  /** Folder whose package.json names the Cigale nodes. */
  readonly packageDir: string;
  /** Start with the flows stopped until the next deploy, because they ended the process several times. */
  readonly safeMode: boolean;
}

/** Names and addresses that only this machine can reach. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);

/** Refuses an address that other machines could reach: the editor has no login. */
export function checkListen(listen: EditorListen): void {
  if (listen === 'headless' || isLoopback(listen.host)) return;
  throw new GatewayError('EDITOR_NOT_LOOPBACK', `the editor may not listen on ${listen.host}`, {
    context: { host: listen.host },
  });
}

/**
 * Whether an HTTP `Host` header names this machine. Any other name means that a page of another site was made to
 * resolve to this address (DNS rebinding), and would deploy with the technician's browser.
 */
export function isOwnHost(header: string | undefined): boolean {
  const host = /^(\[[^\]]+\]|[^:]+)(?::\d+)?$/.exec(header ?? '')?.[1] ?? '';
  return isLoopback(host.replace(/^\[|\]$/g, ''));
}
