import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { GatewayError } from '../runtime/errors.ts';
import { isToken } from './access.ts';
import { checked } from './check.ts';

const login = z.strictObject({ token: z.string().max(200) });
const PAGE_FILES: Readonly<Record<string, string>> = {
  '/': 'index.html',
  '/page.js': 'page.js',
  '/texts.js': 'texts.js',
  '/page.css': 'page.css',
  '/icon.svg': 'icon.svg',
};
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
};
const SECURITY = {
  'content-security-policy': "default-src 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
} as const;

/** The technician's page and its login: the token becomes a cookie that scripts of other sites cannot use. */
export function addPageRoutes(app: FastifyInstance, token: string): void {
  for (const [route, file] of Object.entries(PAGE_FILES)) {
    const type = TYPES[file.split('.').at(-1) ?? ''] ?? 'text/plain';
    app.get(route, async (_request, reply) =>
      reply
        .headers(SECURITY)
        .type(`${type}; charset=utf-8`)
        .send(await readFile(new URL(`../page/${file}`, import.meta.url))),
    );
  }
  app.post('/v1/session', async (request, reply) => {
    if (!isToken(checked(login, request.body).token, token)) throw new GatewayError('API_UNAUTHORIZED', 'wrong token');
    return reply
      .header('set-cookie', `cigale=${token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=2592000`)
      .code(204)
      .send();
  });
}
