import type { RejectReason } from '../../model/frame.ts';

/** What a line says about one channel, before its number is understood. */
export interface RawValue {
  readonly value: string | number;
  /** Unit that the line itself carries; empty when it carries none. */
  readonly unit: string;
  /** The sensor itself says that the value is not to be used. */
  readonly isInvalid: boolean;
}

export interface Refusal {
  readonly reason: RejectReason;
  readonly detail: string;
}

/** Values by channel, in the order of the settings; a hole where the channel's key does not occur in the line. */
export type RawValues = readonly (RawValue | undefined)[];

/** `no-data`: a line that belongs to the format and carries no values (a header). */
export type Reading = { readonly values: RawValues } | Refusal | 'other-address' | 'no-data';

/** One text format. It never throws, whatever the text. */
export interface LineReader {
  read(text: string): Reading;
}

export const isRefusal = (result: object): result is Refusal => 'reason' in result;

export const refuse = (reason: RejectReason, detail: string): Refusal => ({ reason, detail });

export const plainValue = (value: string | number, unit = ''): RawValue => ({ value, unit, isInvalid: false });

/** A key that is a number: a column or group. */
export const isIndex = (key: string): boolean => /^\d{1,4}$/.test(key);
