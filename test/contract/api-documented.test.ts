import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { mayUse, type Role } from '../../src/api/access.ts';
import type { GatewayPort } from '../../src/api/gateway-port.ts';
import { problem } from '../../src/api/problem.ts';
import { createApi } from '../../src/api/server.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { ERROR_CODES, type ErrorCode } from '../../src/runtime/error-codes.ts';
import { memoryLog } from '../fakes/silent-log.ts';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/api.md'), 'utf8');
const sourceFiles = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);
const source = sourceFiles.map((file) => readFileSync(join(ROOT, 'src', file), 'utf8')).join('\n');

interface Route {
  readonly method: string;
  readonly url: string;
  readonly roles: readonly string[];
}

const documented: readonly Route[] = [...page.matchAll(/^\| `([A-Z]+) (\/v1\/[^`]+)` \| ([a-z ]+) \|/gm)].map(
  ([, method = '', url = '', roles = '']) => ({ method, url, roles: roles.trim().split(' ') }),
);
const registered = [...source.matchAll(/\bapp\.(get|put|post|delete)\(\s*'(\/v1\/[^']+)'/g)].map(
  ([, method = '', url = '']) => `${method.toUpperCase()} ${url}`,
);

const app = createApi({
  gateway: {} as GatewayPort,
  role: 'remote',
  token: 'x',
  clock: systemClock,
  log: memoryLog(),
});
afterAll(() => app.close());

describe('docs/api.md', () => {
  it('lists every route that is registered, and no other', () => {
    expect(registered.length).toBeGreaterThan(20);
    expect(documented.map(({ method, url }) => `${method} ${url}`).toSorted()).toEqual(registered.toSorted());
    for (const { method, url } of documented) expect(app.hasRoute({ method, url }), `${method} ${url}`).toBe(true);
  });

  it('says who may use each', () => {
    for (const { method, url, roles } of documented) {
      if (url === '/v1/session') continue;
      const allowed = (['owner', 'editor', 'remote'] as const).filter((role: Role) => mayUse(role, method, url));
      expect(roles, `${method} ${url}`).toEqual(allowed);
    }
  });

  it('gives the status of every error code', () => {
    const rows = [...page.matchAll(/^\| (\d{3}) \| (.*) \|$/gm)];
    const byCode = new Map<string, number>();
    for (const [, status, codes = ''] of rows)
      for (const [, code = ''] of codes.matchAll(/`([A-Z_]+)`/g)) byCode.set(code, Number(status));
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[])
      expect(problem(code, '').status, code).toBe(byCode.get(code) ?? 500);
  });

  it('lists every metric that the gateway has, with its type, and no other', () => {
    const metrics = [...page.matchAll(/^\| `(cigale_[a-z_]+)(?:\{[a-z,]+\})?` \| (counter|gauge|histogram) \|/gm)];
    const used = new Set(source.match(/'cigale_[a-z_]+'/g)?.map((name) => name.slice(1, -1)));
    expect(metrics.map(([, name = '']) => name).toSorted()).toEqual([...used].toSorted());
    for (const [, name = '', type] of metrics)
      expect(name.endsWith('_total'), `${name} is a ${type}`).toBe(type === 'counter');
  });

  it('lists the metrics that other programs rely on', () => {
    for (const metric of [
      'cigale_samples_accepted_total',
      'cigale_frames_rejected_total{source,reason}',
      'cigale_batches_acknowledged_total{stream}',
      'cigale_backlog_records{stream}',
      'cigale_backlog_age_seconds{stream}',
      'cigale_clock_synchronized',
      'cigale_store_bytes',
      'cigale_commit_seconds',
    ])
      expect(page).toContain(`\`${metric}\``);
  });

  it('describes every route that has a body or a query', () => {
    const prose = page.slice(page.indexOf('### State'), page.indexOf('## Events'));
    const plain = new Set(['GET /v1/places', 'GET /v1/devices', 'GET /v1/metrics', 'GET /v1/events']);
    for (const { method, url } of documented.filter((route) => !plain.has(`${route.method} ${route.url}`)))
      expect(prose, `${method} ${url}`).toContain(`**\`${method} ${url}\`**`);
  });
});
