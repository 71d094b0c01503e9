import { pino } from 'pino';

/**
 * Structured log to standard output (journald). The message is a constant sentence, facts are fields.
 * error: data lost or a human must act; warn: recovered alone; info: life cycle; debug: per measurement.
 */
export interface Log {
  error(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  info(facts: object, message: string): void;
  debug(facts: object, message: string): void;
  child(facts: object): Log;
}

export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'silent';

const REDACTED = [
  'password',
  '*.password',
  'nwkSKey',
  '*.nwkSKey',
  'appSKey',
  '*.appSKey',
  'appKey',
  '*.appKey',
  'token',
  '*.token',
];

export function createLog(level: LogLevel): Log {
  return pino({ level, base: null, redact: REDACTED, timestamp: pino.stdTimeFunctions.isoTime });
}
