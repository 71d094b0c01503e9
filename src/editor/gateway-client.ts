import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { GatewayError, systemCode } from '../runtime/errors.ts';
import type { FlowFault } from '../model/fault.ts';

const TIMEOUT_MS = 30_000;
/** A flow of 10,000 nodes is about 5 MB. */
const MAX_RESPONSE_BYTES = 32 * 1024 * 1024;

/** What the gateway refused, as problem details (RFC 9457). */
interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly faults: readonly FlowFault[];
}

export type Answer =
  | { readonly ok: true; readonly body: unknown }
  | { readonly ok: false; readonly status: number; readonly problem: Problem };

export interface Call {
  readonly method?: 'GET' | 'PUT' | 'POST';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** HTTP to the gateway over its Unix socket. A gateway that cannot be reached is GATEWAY_NOT_RUNNING. */
export class GatewayClient {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async call(path: string, { method = 'GET', body, headers = {} }: Call = {}): Promise<Answer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const request = this.#request(path, method, TIMEOUT_MS, {
      ...headers,
      ...(text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
    });
    request.on('timeout', () => request.destroy(new Error('the gateway did not answer in time')));
    const response = await answered(request, text);
    const status = response.statusCode ?? 0;
    const parsed = parseJson(await readText(response));
    if (status >= 200 && status < 300) return { ok: true, body: parsed };
    return { ok: false, status, problem: problemOf(parsed) };
  }

  /** The body of a call that the gateway has no reason to refuse. */
  async expect(path: string, call: Call = {}): Promise<unknown> {
    const answer = await this.call(path, call);
    if (answer.ok) return answer.body;
    throw new GatewayError('EDITOR_FAILED', `the gateway refused ${path}: ${answer.problem.detail}`, {
      context: { path, status: answer.status, refusal: answer.problem.code },
    });
  }

  /** An unsent request without time limit, for streams. */
  open(path: string, method: string, headers: Readonly<Record<string, string>>): ClientRequest {
    return this.#request(path, method, 0, headers);
  }

  #request(path: string, method: string, timeout: number, headers: Readonly<Record<string, string>>): ClientRequest {
    return httpRequest({
      socketPath: this.#socketPath,
      path,
      method,
      timeout,
      headers: { host: 'localhost', ...headers },
    });
  }
}

/** Sends the request; resolves with the response's head. */
export function answered(request: ClientRequest, text?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', (cause) => {
      const context = { reason: systemCode(cause) ?? cause.message };
      reject(new GatewayError('GATEWAY_NOT_RUNNING', 'the gateway cannot be reached', { cause, context }));
    });
    request.end(text);
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_RESPONSE_BYTES) throw new GatewayError('EDITOR_FAILED', 'the answer of the gateway is too large');
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError('GATEWAY_NOT_RUNNING', 'the gateway ended in the middle of an answer', { cause });
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A body that is not JSON is no answer of a gateway: it counts as none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function problemOf(body: unknown): Problem {
  const { code, detail, faults } = (typeof body === 'object' && body !== null ? body : {}) as Partial<Problem>;
  return {
    code: typeof code === 'string' ? code : 'INTERNAL',
    detail: typeof detail === 'string' ? detail : 'no detail',
    faults: Array.isArray(faults) ? faults : [],
  };
}
