import { describe, expect, it } from 'vitest';
import type { LogEntry } from '../../src/model/record.ts';
import { tellingRecord } from '../../src/wiring/telling-record.ts';

const entry = (id: number, quantity: string, value: number): LogEntry => ({
  id,
  to: [],
  record: {
    kind: 'sample',
    revision: 0,
    place: 'quai',
    channel: '',
    device: 'sonometre-1',
    quantity,
    unit: '',
    observedAt: id,
    receivedAt: id,
    periodMs: null,
    intervalMs: null,
    value,
    quality: 'good',
    flags: [],
  },
});
const shown = (...entries: LogEntry[]): unknown => {
  const record = tellingRecord(entries);
  return record?.kind === 'sample' ? [record.quantity, record.value] : record;
};

describe('the value under a node of the editor', () => {
  it('is the level of a noise meter and not its peak, in whatever order they stand', () => {
    expect(shown(entry(1, 'LAeq', 61.2), entry(2, 'LAFmax', 66), entry(3, 'LCpeak', 82))).toEqual(['LAeq', 61.2]);
    expect(shown(entry(1, 'LCpeak', 82), entry(2, 'LAeq', 61.2))).toEqual(['LAeq', 61.2]);
  });

  it('is the temperature of a station and not its humidity or battery', () => {
    expect(
      shown(entry(1, 'batteryVoltage', 3.6), entry(2, 'relativeHumidity', 40), entry(3, 'airTemperature', 31)),
    ).toEqual(['airTemperature', 31]);
  });

  it('is the newest of several of the same quantity', () => {
    expect(shown(entry(1, 'LAeq', 60), entry(2, 'LCpeak', 82), entry(3, 'LAeq', 61))).toEqual(['LAeq', 61]);
  });

  it('is none where nothing came', () => {
    expect(shown()).toBeUndefined();
  });
});
