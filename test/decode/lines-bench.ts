import { createLineDecoder, type LineDecoder } from '../../src/decode/lines/line-decoder.ts';
import type { ChannelSettings, LineFormat, SerialSourceSettings } from '../../src/model/plan.ts';

export const RECEIVED_AT = Date.UTC(2026, 5, 1, 12);

export const channel = (key: string, quantity: string, overrides: Partial<ChannelSettings> = {}): ChannelSettings => ({
  key,
  quantity,
  channel: '',
  unit: '',
  scale: 1,
  offset: 0,
  averagingMs: null,
  ...overrides,
});

export const sourceSettings = (
  format: LineFormat,
  channels: readonly ChannelSettings[],
  overrides: Partial<SerialSourceSettings> = {},
): SerialSourceSettings => ({
  nodeId: 'serial-1',
  name: '',
  port: 'port-1',
  format,
  separator: ',',
  pattern: '',
  checksum: 'auto',
  channels,
  place: 'place-1',
  device: 'device-1',
  address: '',
  poll: null,
  silentAfterMs: null,
  ...overrides,
});

/** What one line gives, short: values (with flags where there are any), a reason of rejection, or `other-address`. */
function decodeLine(decoder: LineDecoder, line: string | Uint8Array): unknown {
  const bytes = typeof line === 'string' ? Buffer.from(line) : line;
  const outcome = decoder.decode({ bytes, receivedAt: RECEIVED_AT });
  if (outcome === 'other-address') return outcome;
  if (outcome.rejection !== null) return outcome.rejection.reason;
  return outcome.measurements.map(({ value, flags }) => (flags.length === 0 ? value : [value, ...flags]));
}

/** A function from line to outcome, with one decoder behind it. */
export function lines(...args: Parameters<typeof sourceSettings>): (line: string | Uint8Array) => unknown {
  const decoder = createLineDecoder(sourceSettings(...args));
  return (line) => decodeLine(decoder, line);
}
