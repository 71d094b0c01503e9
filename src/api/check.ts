import type { z } from 'zod';
import { GatewayError } from '../runtime/errors.ts';

/** The checked value, or API_BAD_REQUEST that names the first field at fault. */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new GatewayError(
    'API_BAD_REQUEST',
    `${field === '' ? 'the request' : field}: ${issue?.message ?? 'is not valid'}`,
    {
      context: { field },
    },
  );
}
