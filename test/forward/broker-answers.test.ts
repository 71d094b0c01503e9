import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { answerOf, BROKER_ANSWERS, codeText } from '../../src/forward/broker-answers.ts';
import { causeOf } from '../../src/forward/refusal.ts';

const MINUTE_MS = 60_000;
const document = readFileSync(join(import.meta.dirname, '../../docs/delivery.md'), 'utf8');
const rows = document.split('\n').filter((line) => line.startsWith('| '));

describe('the table of broker answers', () => {
  it('names each answer once, and stands in docs/delivery.md row by row', () => {
    const names = BROKER_ANSWERS.map(({ packet, code }) => `${packet} ${codeText(packet, code)}`);
    expect(new Set(names).size).toBe(names.length);
    const documented = rows.filter((line) => /^\| (PUBACK|CONNACK|DISCONNECT|line) /.test(line));
    expect(documented.map((line) => line.split(' | ').slice(0, 2))).toEqual(
      BROKER_ANSWERS.map(({ name }, index) => [`| ${names[index]}`, name]),
    );
    for (const [index, { status, handling }] of BROKER_ANSWERS.entries()) {
      expect(documented[index]).toContain(`| ${status.en} | ${status.fr} |`);
      expect(documented[index]).toContain(`| ${handling}`);
    }
  });

  it('explains every handling', () => {
    for (const { handling } of BROKER_ANSWERS) expect(document).toContain(`\n| ${handling} |`);
  });

  it.each([
    ['PUBACK', [0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x95, 0x97, 0x99]],
    ['CONNACK', [0x80, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x95, 0x97, 0x9a, 0x9b, 0x9c, 0x9d, 0x9f]],
    ['CONNACK 3.1.1', [1, 2, 3, 4, 5]],
    ['DISCONNECT', [0x87, 0x8b, 0x8d, 0x8e, 0x93, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9c, 0x9d]],
  ] as const)('has every refusal of %s that brokers are known to give', (packet, codes) => {
    for (const code of codes) expect(answerOf(packet, code).name, String(code)).not.toBe('not in the table');
  });

  it('lets no delay be longer than the minute within which a cured broker is to be found', () => {
    for (const { waitAtLeastMs } of BROKER_ANSWERS) expect(waitAtLeastMs * 1.5).toBeLessThan(MINUTE_MS);
  });

  it('splits only for what concerns the batch, and keeps it whole for a code that nobody knows', () => {
    expect([0x99, 0x95, 0x80, 0x83, null].map((code) => causeOf(code))).toEqual([
      'content',
      'size',
      'unclear',
      'unclear',
      'unclear',
    ]);
    for (const code of [0x87, 0x90, 0x91, 0x97, 0x8f, 0xff]) expect(causeOf(code)).toBe('other');
    expect(answerOf('CONNACK', 0xee).handling).toBe('reconnect');
    expect(answerOf('CONNACK', 0xee).status.fr).toContain('0xEE');
  });
});
