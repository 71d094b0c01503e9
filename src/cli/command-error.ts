import type { Text } from '../model/text.ts';
import type { ErrorCode } from '../runtime/error-codes.ts';
import { GatewayError, type ErrorContext } from '../runtime/errors.ts';

/** An error that a command found itself: it says what is wrong in the user's language. */
export class CommandError extends GatewayError {
  readonly text: Text;

  constructor(code: ErrorCode, text: Text, options: { context?: ErrorContext; cause?: unknown } = {}) {
    super(code, text.en, options);
    this.name = 'CommandError';
    this.text = text;
  }
}

/** Wrong use of a command: USAGE, exit code 64. */
export const wrongUse = (en: string, fr: string): CommandError => new CommandError('USAGE', { en, fr });
