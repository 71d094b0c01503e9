/** What a TS013 `decodeUplink` is given. */
export interface CodecInput {
  /** FRMPayload in clear. */
  readonly bytes: Uint8Array;
  readonly fPort: number;
  /** UTC epoch milliseconds; the script sees a `Date`. */
  readonly recvTime: number;
}

export type CodecFailure = 'missing' | 'timeout' | 'error' | 'invalid-result';

export type CodecResult =
  | { readonly ok: true; readonly data: Readonly<Record<string, unknown>>; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly reason: CodecFailure; readonly errors: readonly string[] };

export const MAX_RESULT_BYTES = 65_536;
const MAX_DEPTH = 8;
const MAX_TEXTS = 10;
const MAX_TEXT_LENGTH = 200;

export const failed = (reason: CodecFailure, ...errors: readonly string[]): CodecResult => ({
  ok: false,
  reason,
  errors: errors.map((error) => error.slice(0, MAX_TEXT_LENGTH)),
});

/** The text a script's result crossed the sandbox with, checked against TS013 §"decodeUplink": `{data, warnings, errors}`. */
export function readCodecResult(text: string): CodecResult {
  if (Buffer.byteLength(text) > MAX_RESULT_BYTES) return tooLarge();
  const result = parse(text);
  if (!isRecord(result)) return failed('invalid-result', 'decodeUplink did not return an object');
  const errors = texts(result['errors']);
  const warnings = texts(result['warnings']);
  if (errors === null || warnings === null) return failed('invalid-result', 'errors and warnings must be arrays');
  if (errors.length > 0) return failed('error', ...errors);
  const { data } = result;
  if (!isRecord(data)) return failed('invalid-result', 'data is not an object');
  if (isDeeperThan(data, MAX_DEPTH)) return failed('invalid-result', `data nests deeper than ${MAX_DEPTH}`);
  return { ok: true, data, warnings };
}

export const tooLarge = (): CodecResult => failed('invalid-result', `the result exceeds ${MAX_RESULT_BYTES} bytes`);

/** The sandbox serialised it, but a script can put its own text in the place of JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function texts(value: unknown): readonly string[] | null {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return null;
  return value
    .slice(0, MAX_TEXTS)
    .map((item: unknown) => (typeof item === 'string' ? item : (JSON.stringify(item) ?? '')).slice(0, MAX_TEXT_LENGTH));
}

function isDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return limit === 0 || Object.values(value).some((item) => isDeeperThan(item, limit - 1));
}
