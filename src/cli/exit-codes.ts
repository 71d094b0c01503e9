import type { ErrorCode } from '../runtime/error-codes.ts';
import { GatewayError } from '../runtime/errors.ts';

/** Exit codes of every command (sysexits.h where it has one). */
export const EXIT = {
  done: 0,
  checkFailed: 1,
  usage: 64,
  badData: 65,
  notRunning: 69,
  ourFault: 70,
  cannotCreate: 73,
  io: 74,
  badFlow: 78,
} as const;

/** The exit code of every error code that a command can meet; what is not named here is a fault of ours. */
export const EXIT_BY_CODE: Partial<Record<ErrorCode, number>> = {
  USAGE: EXIT.usage,
  API_BAD_REQUEST: EXIT.usage,
  API_NOT_FOUND: EXIT.usage,
  FLOW_VERSION_UNKNOWN: EXIT.usage,
  REGISTRY_NOT_FOUND: EXIT.usage,
  STREAM_UNKNOWN: EXIT.usage,
  STREAM_IN_USE: EXIT.usage,
  BROKER_CONFIG: EXIT.usage,
  EDITOR_NOT_LOOPBACK: EXIT.usage,
  REGISTRY_CSV_INVALID: EXIT.badData,
  REGISTRY_CONFLICT: EXIT.badData,
  CODEC_INVALID: EXIT.badData,
  CODEC_FAILED: EXIT.badData,
  CODEC_TIMEOUT: EXIT.badData,
  API_TOO_LARGE: EXIT.badData,
  GATEWAY_NOT_RUNNING: EXIT.notRunning,
  STORE_CLOSED: EXIT.notRunning,
  STORE_LOCKED: EXIT.cannotCreate,
  STORE_OPEN_FAILED: EXIT.cannotCreate,
  STORE_SQLITE_REFUSED: EXIT.cannotCreate,
  STORE_TOO_NEW: EXIT.cannotCreate,
  FILE_UNWRITABLE: EXIT.cannotCreate,
  API_LISTEN_FAILED: EXIT.cannotCreate,
  FILE_UNREADABLE: EXIT.io,
  STORE_IO: EXIT.io,
  STORE_FULL: EXIT.io,
  STORE_CORRUPT: EXIT.io,
  STORE_BACKPRESSURE: EXIT.io,
  SECRET_UNREADABLE: EXIT.io,
  BROKER_UNREACHABLE: EXIT.io,
  BROKER_REFUSED: EXIT.io,
  GATEWAY_DENIED: EXIT.io,
  FLOW_INVALID: EXIT.badFlow,
  FLOW_NOT_JSON: EXIT.badFlow,
};

export const exitCodeOf = (error: unknown): number =>
  error instanceof GatewayError ? (EXIT_BY_CODE[error.code] ?? EXIT.ourFault) : EXIT.ourFault;
