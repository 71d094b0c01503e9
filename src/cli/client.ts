import { stat } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { openOffline } from '../gateway.ts';
import { ERROR_CODES, type ErrorCode } from '../runtime/error-codes.ts';
import { GatewayError, messageOf, systemCode } from '../runtime/errors.ts';
import { systemClock } from '../runtime/clock.ts';
import { createLog } from '../runtime/log.ts';
import { Metrics } from '../runtime/metrics.ts';
import { socketPaths } from '../runtime/socket-path.ts';
import { CommandError } from './command-error.ts';
import { both } from './io.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
}

type Send = (method: string, path: string, body?: string | Buffer, type?: string) => Promise<Answer>;

/** What a refused request said, with the parts that a command prints. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly faults: readonly unknown[];
}

/** The API as commands use it: of the running gateway over its socket, or of the store opened here when none runs. */
export class Client {
  readonly #send: Send;
  readonly isLive: boolean;

  constructor(send: Send, isLive: boolean) {
    this.#send = send;
    this.isLive = isLive;
  }

  /** The parsed answer; throws the gateway's own error code. */
  async json(method: string, path: string, body?: unknown): Promise<unknown> {
    return JSON.parse(await this.text(method, path, body === undefined ? undefined : JSON.stringify(body)));
  }

  async text(method: string, path: string, body?: string | Buffer, type?: string): Promise<string> {
    const answer = await this.#send(method, path, body, type);
    if (answer.status < 400) return answer.body === '' ? 'null' : answer.body;
    const refusal = refusalOf(answer);
    throw new GatewayError(refusal.code, refusal.detail, { cause: refusal.faults });
  }
}

function refusalOf({ status, body }: Answer): Refusal {
  const parsed: unknown = body.startsWith('{') ? JSON.parse(body) : {};
  const problem = typeof parsed === 'object' && parsed !== null ? parsed : {};
  const code =
    'code' in problem && typeof problem.code === 'string' && problem.code in ERROR_CODES
      ? (problem.code as ErrorCode)
      : 'INTERNAL';
  const detail =
    'detail' in problem && typeof problem.detail === 'string' ? problem.detail : `the gateway answered ${status}`;
  return { code, detail, faults: 'faults' in problem && Array.isArray(problem.faults) ? problem.faults : [] };
}

const sendOver =
  (path: string): Send =>
  (method, url, body, type) =>
    new Promise((resolve, reject) => {
      const headers =
        body === undefined
          ? {}
          : { 'content-type': type ?? 'application/json', 'content-length': Buffer.byteLength(body) };
      const request = httpRequest({ socketPath: path, method, path: url, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', (error) => reject(unreachable(path, error)));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 500, body: Buffer.concat(chunks).toString('utf8') }),
        );
      });
      request.on('error', (error) => reject(unreachable(path, error)));
      request.end(body);
    });

const NOBODY_THERE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ECONNREFUSED']);
const DENIED: ReadonlySet<string> = new Set(['EACCES', 'EPERM']);

/** Why a socket did not answer: nobody listens, this user may not, or the gateway ended in the middle of the answer. */
function unreachable(path: string, cause: unknown): CommandError {
  const reason = systemCode(cause) ?? messageOf(cause);
  const options = { cause, context: { path, reason } };
  if (DENIED.has(reason)) {
    const text = both(`this user may not use ${path}`, `cet utilisateur n'a pas accès à ${path}`);
    return new CommandError('GATEWAY_DENIED', text, options);
  }
  const text = both(`the gateway went away (${reason})`, `la passerelle ne répond plus (${reason})`);
  return new CommandError('GATEWAY_NOT_RUNNING', text, options);
}

/**
 * What a command needs: `live` a running gateway, `store` one that runs or a store to open, `create` the same, and a
 * store is made where there is none.
 */
export type Need = 'live' | 'store' | 'create';

/** Runs `work` with the gateway of a data directory. Throws GATEWAY_NOT_RUNNING or STORE_OPEN_FAILED where the need is not met. */
export async function withClient<Result>(
  dataDir: string,
  need: Need,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  for (const path of socketPaths(dataDir, 'cigale.sock')) {
    const send = sendOver(path);
    if (await isServed(send)) return work(new Client(send, true));
  }
  const context = { dataDir };
  if (need === 'live') {
    const text = both(`no gateway runs on ${dataDir}`, `aucune passerelle ne tourne sur ${dataDir}`);
    throw new CommandError('GATEWAY_NOT_RUNNING', text, { context });
  }
  if (need === 'store' && (await isAbsent(join(dataDir, 'cigale.db')))) {
    const text = both(`there is no store in ${dataDir}`, `il n'y a pas de stockage dans ${dataDir}`);
    throw new CommandError('STORE_OPEN_FAILED', text, { context });
  }
  const deps = { clock: systemClock, log: createLog('silent'), metrics: new Metrics(), random: Math.random };
  const offline = await openOffline(dataDir, deps, process.env);
  try {
    return await work(new Client(offline.request, false));
  } finally {
    await offline.close();
  }
}

async function isServed(send: Send): Promise<boolean> {
  try {
    await send('GET', '/v1/flow/versions?limit=1');
    return true;
  } catch (error) {
    if (error instanceof GatewayError && NOBODY_THERE.has(String(error.context['reason']))) return false;
    throw error;
  }
}

async function isAbsent(file: string): Promise<boolean> {
  try {
    await stat(file);
    return false;
  } catch (error) {
    return NOBODY_THERE.has(systemCode(error) ?? '');
  }
}
