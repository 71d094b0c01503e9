import { ERROR_CODES, type ErrorCode } from '../runtime/error-codes.ts';
import { GatewayError, messageOf } from '../runtime/errors.ts';
import type { FlowFault } from '../model/fault.ts';
import type { Text } from '../model/text.ts';

/** RFC 9457 problem details with a stable `code` and a hint in each language. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly hint: Text;
  readonly context?: Readonly<Record<string, unknown>>;
  readonly faults?: readonly FlowFault[];
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  API_BAD_REQUEST: 400,
  USAGE: 400,
  API_UNAUTHORIZED: 401,
  API_FORBIDDEN: 403,
  API_NOT_FOUND: 404,
  FLOW_VERSION_UNKNOWN: 404,
  REGISTRY_NOT_FOUND: 404,
  STREAM_UNKNOWN: 404,
  FLOW_CONFLICT: 412,
  REGISTRY_CONFLICT: 409,
  STREAM_IN_USE: 409,
  CLOCK_ALREADY_SET: 409,
  FLOW_INVALID: 422,
  FLOW_NOT_JSON: 422,
  REGISTRY_CSV_INVALID: 422,
  CODEC_INVALID: 422,
  API_TOO_LARGE: 413,
  API_BUSY: 503,
  STORE_BACKPRESSURE: 503,
  STORE_CLOSED: 503,
  STORE_FULL: 507,
};

export function problem(code: ErrorCode, detail: string, extra: Partial<Problem> = {}): Problem {
  return {
    type: `urn:cigale:error:${code}`,
    title: code.toLowerCase().replaceAll('_', ' '),
    status: STATUS[code] ?? 500,
    code,
    detail,
    hint: ERROR_CODES[code].hint,
    ...extra,
  };
}

/** The problem for anything thrown by a route; a fault of ours does not tell its inner text to the network. */
export function problemOf(error: unknown): Problem {
  if (error instanceof GatewayError) return problem(error.code, error.message, { context: error.context });
  if (isClientError(error) && error.statusCode === 413) return problem('API_TOO_LARGE', messageOf(error));
  if (isClientError(error)) return problem('API_BAD_REQUEST', messageOf(error), { status: error.statusCode });
  return problem('INTERNAL', 'the request failed inside the gateway; the log has the details');
}

/** Fastify's own refusals (body too large, malformed JSON) carry a 4xx status. */
const isClientError = (error: unknown): error is Error & { statusCode: number } =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500;
