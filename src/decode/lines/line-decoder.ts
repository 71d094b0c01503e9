import { boundedDetail, excerptOf } from '../../model/excerpt.ts';
import type { LineFrame, Rejection } from '../../model/frame.ts';
import type { LineFormat, SerialSourceSettings } from '../../model/plan.ts';
import type { Measurement } from '../../model/record.ts';
import { createChannel, type Channel } from './channel.ts';
import { createCsvReader } from './csv.ts';
import { createJsonReader } from './json.ts';
import { createKeyValueReader } from './key-value.ts';
import { lineText } from './line-text.ts';
import { createNmeaReader } from './nmea.ts';
import { isRefusal, refuse, type LineReader, type RawValues, type Refusal } from './reading.ts';
import { createRegexReader } from './regex.ts';

/** `other-address`: the line is another device's on the same port; nobody's fault, so not a rejection. */
export type LineOutcome =
  | { readonly measurements: readonly Measurement[]; readonly rejection: null }
  | { readonly measurements: readonly []; readonly rejection: Rejection }
  | 'other-address';

/** Lines of one `cigale-serial` node -> measurements. It may learn from lines (a header); it never throws on one. */
export interface LineDecoder {
  decode(frame: LineFrame): LineOutcome;
}

const READERS: Readonly<Record<LineFormat, (settings: SerialSourceSettings) => LineReader>> = {
  csv: createCsvReader,
  keyvalue: createKeyValueReader,
  json: createJsonReader,
  regex: createRegexReader,
  nmea: createNmeaReader,
};

const NOTHING: LineOutcome = { measurements: [], rejection: null };

/** Throws `FLOW_INVALID` for settings that no line could be decoded with (unknown quantity, broken pattern). */
export function createLineDecoder(settings: SerialSourceSettings): LineDecoder {
  const reader = READERS[settings.format](settings);
  const channels = settings.channels.map((channel) => createChannel(channel, settings));

  return {
    decode(frame) {
      const text = lineText(frame.bytes);
      if (text === null) return reject(frame, refuse('not-text', 'control characters or bytes that are not UTF-8'));
      const reading = reader.read(text);
      if (reading === 'other-address') return 'other-address';
      if (reading === 'no-data') return NOTHING;
      if (isRefusal(reading)) return reject(frame, reading);
      const measured = measureAll(channels, reading.values, frame.receivedAt);
      return isRefusal(measured) ? reject(frame, measured) : { measurements: measured, rejection: null };
    },
  };
}

/** One value that is not a number condemns the line: whatever damaged it may have damaged the others unseen. */
function measureAll(
  channels: readonly Channel[],
  values: RawValues,
  receivedAt: number,
): readonly Measurement[] | Refusal {
  const measurements: Measurement[] = [];
  for (const [index, channel] of channels.entries()) {
    const raw = values[index];
    if (raw === undefined) continue;
    const measured = channel.measure(raw, receivedAt);
    if (isRefusal(measured)) return measured;
    measurements.push(measured);
  }
  return measurements.length > 0 ? measurements : refuse('no-channel', 'none of the channels is in this line');
}

const reject = ({ bytes, receivedAt }: LineFrame, { reason, detail }: Refusal): LineOutcome => ({
  measurements: [],
  rejection: { reason, detail: boundedDetail(detail), excerpt: excerptOf(bytes), receivedAt },
});
