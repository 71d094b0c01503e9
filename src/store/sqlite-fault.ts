import type { ErrorCode } from '../runtime/error-codes.ts';
import { GatewayError } from '../runtime/errors.ts';

/** Where in a call SQLite failed: outside a statement, the statement cannot be to blame. */
export type Phase = 'open' | 'read' | 'begin' | 'statement' | 'commit';

/** What a driver knows of a failure; plain data, so that it crosses threads. */
export interface SqliteFault {
  /** SQLite result code, primary or extended; 0 when the failure is not SQLite's. */
  readonly resultCode: number;
  readonly message: string;
  readonly phase: Phase;
}

/** Primary result codes, from "Result and Error Codes" of the SQLite documentation. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  3: 'STORE_IO', // PERM
  5: 'STORE_LOCKED', // BUSY
  6: 'STORE_LOCKED', // LOCKED
  7: 'STORE_IO', // NOMEM
  8: 'STORE_IO', // READONLY
  10: 'STORE_IO', // IOERR
  11: 'STORE_CORRUPT', // CORRUPT
  13: 'STORE_FULL', // FULL
  14: 'STORE_IO', // CANTOPEN
  19: 'STORE_CONSTRAINT', // CONSTRAINT
  26: 'STORE_CORRUPT', // NOTADB
};

/** While opening, a disk that refuses is told apart from one that fails in service: the directory is wrong. */
const atOpen = (code: ErrorCode): ErrorCode =>
  code === 'STORE_IO' || code === 'INTERNAL' ? 'STORE_OPEN_FAILED' : code;

/** What is not a statement's fault must never read as one: the commit queue would reject innocent writes. */
const outsideStatement = (code: ErrorCode): ErrorCode =>
  code === 'INTERNAL' || code === 'STORE_CONSTRAINT' ? 'STORE_IO' : code;

function codeOf({ resultCode, phase }: SqliteFault): ErrorCode {
  const code = CODES[resultCode & 0xff] ?? 'INTERNAL';
  if (phase === 'open') return atOpen(code);
  return phase === 'begin' || phase === 'commit' ? outsideStatement(code) : code;
}

/** The one place where SQLite's result codes become the gateway's. */
export const gatewayErrorOf = (fault: SqliteFault, context: { sql?: string; path?: string } = {}): GatewayError =>
  new GatewayError(codeOf(fault), fault.message, {
    context: { resultCode: fault.resultCode, phase: fault.phase, ...context },
  });

/** Whether the disk (or another process) is to blame, so that the same transaction may succeed later. */
export const isDiskFault = (error: unknown): error is GatewayError =>
  error instanceof GatewayError &&
  (error.code === 'STORE_FULL' ||
    error.code === 'STORE_IO' ||
    error.code === 'STORE_LOCKED' ||
    error.code === 'STORE_OPEN_FAILED' ||
    error.code === 'STORE_CORRUPT');

export const closedError = (): GatewayError => new GatewayError('STORE_CLOSED', 'the store is closed');
