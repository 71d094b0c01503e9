import { describe, expect, it } from 'vitest';
import { roomText } from '../../src/cli/wording.ts';

describe('how long an outage may last, in words', () => {
  const limited = { limitBytes: 64 * 1_048_576, outageDays: 85.9 };

  it('is said in days of outage, with what happens after them, in both languages', () => {
    expect(roomText(limited)).toEqual({
      en: 'room for 85 days of outage at this rate, then the oldest data loses resolution',
      fr: 'place pour 85 jours de coupure à ce rythme, ensuite les plus anciennes données perdent en résolution',
    });
    expect(roomText({ ...limited, limitBytes: null }).en).toBe(
      'room for 85 days of outage at this rate, then new data is refused',
    );
    expect(roomText({ ...limited, outageDays: 1.2 }).fr).toContain('1 jour de coupure');
    expect(roomText({ ...limited, outageDays: 99_999 }).fr).toBe('place pour plus de 10 ans de coupure à ce rythme');
  });

  it('is not said before the rate is known', () => {
    expect(roomText({ ...limited, outageDays: null }).en).toBe('rate not known yet');
  });
});
