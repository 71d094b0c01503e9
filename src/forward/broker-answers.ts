import type { AnswerPacket, BrokerAnswer } from './broker-answer.ts';
import { CONNACK_311_ANSWERS, CONNACK_ANSWERS } from './connack-answers.ts';
import { DISCONNECT_ANSWERS } from './disconnect-answers.ts';
import { LINE_ANSWERS } from './line-answers.ts';
import { PUBACK_ANSWERS } from './puback-answers.ts';

/** Every answer of a broker that has a name, in one table; `docs/delivery.md` is written from it. */
export const BROKER_ANSWERS: readonly BrokerAnswer[] = [
  ...PUBACK_ANSWERS,
  ...CONNACK_ANSWERS,
  ...CONNACK_311_ANSWERS,
  ...DISCONNECT_ANSWERS,
  ...LINE_ANSWERS,
];

const BY_CODE = new Map(BROKER_ANSWERS.map((answer) => [`${answer.packet} ${answer.code}`, answer]));

/** `0x87`, or the number itself over MQTT 3.1.1. */
export const codeText = (packet: AnswerPacket, code: number | string): string =>
  typeof code === 'string' || packet === 'CONNACK 3.1.1'
    ? String(code)
    : `0x${code.toString(16).toUpperCase().padStart(2, '0')}`;

/** The answer to a code; one that the table does not hold is kept from doing harm: nothing is split for it. */
export function answerOf(packet: AnswerPacket, code: number | string): BrokerAnswer {
  const known = BY_CODE.get(`${packet} ${code}`);
  if (known !== undefined) return known;
  const what = `${packet} ${codeText(packet, code)}`;
  return {
    packet,
    code,
    name: 'not in the table',
    handling: packet === 'PUBACK' ? (Number(code) < 0x80 ? 'acknowledged' : 'probe') : 'reconnect',
    waitAtLeastMs: 0,
    status: {
      en: `the broker refuses with ${what}; kept, tried again`,
      fr: `le serveur refuse avec ${what} ; conservé, réessayé`,
    },
  };
}
