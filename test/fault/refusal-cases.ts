import type { BrokerAnswer } from '../../src/forward/broker-answer.ts';
import { BROKER_ANSWERS, codeText } from '../../src/forward/broker-answers.ts';

/** What a broker does until it is cured. */
export type RefusalKind =
  /** It answers so to every batch of one stream. */
  | 'every batch'
  /** It answers so to whatever holds one certain record, and is never cured. */
  | 'one record'
  /** It answers so to what is larger than it takes, and is never cured. */
  | 'size'
  /** It takes no connection. */
  | 'connection';

export interface RefusalCase {
  readonly name: string;
  readonly kind: RefusalKind;
  readonly answer: Pick<BrokerAnswer, 'packet' | 'code'>;
}

const isConnack = ({ packet }: BrokerAnswer): boolean => packet.startsWith('CONNACK');
const TOO_LARGE = 0x95;

/** Every refusal of the table, and for those that may concern one batch only, that too. */
export const REFUSAL_CASES: readonly RefusalCase[] = [
  ...BROKER_ANSWERS.filter(({ packet, handling }) => packet !== 'line' && handling !== 'acknowledged').flatMap(
    (answer): RefusalCase[] => {
      const name = `${answer.packet} ${codeText(answer.packet, answer.code)}`;
      const one = (kind: RefusalKind): RefusalCase => ({ name: `${name}, ${kind}`, kind, answer });
      if (isConnack(answer)) return [one('connection')];
      if (answer.code === TOO_LARGE) return [one('size'), ...(answer.packet === 'PUBACK' ? [one('one record')] : [])];
      if (answer.handling.startsWith('split')) return [one('every batch'), one('one record')];
      return [one('every batch')];
    },
  ),
  { name: 'Maximum Packet Size shrinks', kind: 'size', answer: { packet: 'CONNACK', code: 0 } },
  { name: 'DISCONNECT 0x99, one record', kind: 'one record', answer: { packet: 'DISCONNECT', code: 0x99 } },
];
