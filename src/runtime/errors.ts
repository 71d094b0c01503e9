import { ERROR_CODES, type ErrorCode } from './error-codes.ts';

/** Facts that name the place of an error: file, line, node, field, path. Never a secret. */
export type ErrorContext = Readonly<Record<string, string | number | boolean | null>>;

/**
 * The one error class. Decide on `code`, never on the message; `ERROR_CODES` holds what a technician can do.
 * A programming mistake is not one of these: it throws an assertion and ends the process.
 */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, message: string, options: { context?: ErrorContext; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.context = options.context ?? {};
  }

  get hint(): (typeof ERROR_CODES)[ErrorCode]['hint'] {
    return ERROR_CODES[this.code].hint;
  }
}

export const hasCode = (error: unknown, code: ErrorCode): boolean =>
  error instanceof GatewayError && error.code === code;

/** The `code` of a system or library error (`ENOENT`, `SQLITE_FULL`), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Any thrown value as text for a log field. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
