import type { Text } from '../model/text.ts';
import { ERROR_CODES, type ErrorCode } from '../runtime/error-codes.ts';
import { GatewayError, messageOf } from '../runtime/errors.ts';
import { say } from '../runtime/language.ts';
import { CommandError } from './command-error.ts';
import { both, type Io } from './io.ts';

/** Codes whose message is a library's: what it means, in words. */
const MEANING: Partial<Record<ErrorCode, Text>> = {
  STORE_LOCKED: both('the data directory is in use', 'le dossier de données est déjà utilisé'),
  STORE_OPEN_FAILED: both('the store cannot be opened', "le stockage ne peut pas s'ouvrir"),
  API_LISTEN_FAILED: both('the API cannot listen', "l'API ne peut pas écouter"),
  BROKER_UNREACHABLE: both('the broker does not answer', 'le serveur ne répond pas'),
};

/** Prints an error: its code and what is wrong, then what to do about it. */
export function reportError(error: unknown, io: Io): void {
  const { language } = io;
  const name = say(both('cigale:', 'cigale :'), language);
  if (!(error instanceof GatewayError)) {
    io.err(`${name} INTERNAL: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`);
    io.err(say(ERROR_CODES.INTERNAL.hint, language));
    return;
  }
  const meaning = error instanceof CommandError ? error.text : MEANING[error.code];
  const detail = error instanceof CommandError || meaning === undefined ? '' : ` (${error.message})`;
  io.err(`${name} ${error.code}: ${meaning === undefined ? error.message : say(meaning, language)}${detail}`);
  io.err(say(error.hint, language));
}
