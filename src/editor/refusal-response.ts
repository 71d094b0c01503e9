import type { IncomingMessage, ServerResponse } from 'node:http';
import { languageOf } from '../runtime/language.ts';
import type { DeployRefused } from './deploy-refused.ts';
import type { Handler } from './node-red-api.ts';

/** A page shows this many; the rest is counted. */
const MAX_FAULTS = 100;

/** Keeps why the last deploy was refused, for the page to show. */
export class RefusalResponse {
  #last: DeployRefused | null = null;

  /** Called after each deploy: null when it was accepted. */
  readonly remember = (refusal: DeployRefused | null): void => {
    this.#last = refusal;
  };

  /** `GET /cigale/refusal`: the faults by node, in both languages. */
  readonly show: Handler = (_request, response) => {
    const faults = this.#last?.faults ?? [];
    sendJson(response, { faults: faults.slice(0, MAX_FAULTS), total: faults.length });
  };

  /**
   * Node-RED's page shows the body of a refused deploy as it is, which would be raw JSON. For a flow with faults the
   * body becomes one sentence; the page then asks for the faults.
   */
  readonly middleware: Handler = (request, response, next) => {
    if (request.method === 'POST' && (request.url ?? '').split('?')[0] === '/flows') this.#humanise(request, response);
    next();
  };

  #humanise(request: IncomingMessage, response: ServerResponse): void {
    const express = response as ServerResponse & { json(body: unknown): unknown };
    const json = express.json.bind(express);
    express.json = (body) => {
      const refusal = this.#last;
      if (refusal === null || (body as { code?: string } | null)?.code !== 'FLOW_INVALID') return json(body);
      response.setHeader('content-type', 'text/plain; charset=utf-8');
      response.setHeader('x-cigale-refused', '1');
      return response.end(refusal.sentence(languageOf(request.headers['accept-language'])));
    };
  }
}

export function sendJson(response: ServerResponse, body: unknown): void {
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(body));
}
