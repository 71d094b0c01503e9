import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Who speaks: `owner` on the main socket (trusted by file permission), `editor` on the editor's own socket with fewer
 * rights, `remote` over TCP after a login.
 */
export type Role = 'owner' | 'editor' | 'remote';

/** Routes that the editor's process may use: what Node-RED's storage, status and taps need, nothing of the inventory. */
const EDITOR_ROUTES: ReadonlySet<string> = new Set([
  'GET /v1/flow',
  'PUT /v1/flow',
  'GET /v1/flow/credentials',
  'POST /v1/flow/check',
  'GET /v1/status',
  'GET /v1/events',
  'POST /v1/samples',
  'GET /v1/serial-ports',
]);

const OWNER_AND_EDITOR_ONLY: ReadonlySet<string> = new Set(['GET /v1/flow/credentials']);

export function mayUse(role: Role, method: string, route: string): boolean {
  const key = `${method === 'HEAD' ? 'GET' : method} ${route}`;
  if (role === 'editor') return EDITOR_ROUTES.has(key);
  return role === 'owner' || !OWNER_AND_EDITOR_ONLY.has(key);
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares without telling by its duration how much was right. */
export const isToken = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected));

/** The token of a request: `Authorization: Bearer`, or the cookie that the login set. */
export function givenToken(headers: { authorization?: string | undefined; cookie?: string | undefined }): string {
  const bearer = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
  const cookie = /(?:^|;\s*)cigale=([^;]+)/.exec(headers.cookie ?? '')?.[1];
  return bearer ?? cookie ?? '';
}
