/** Writes the table of docs/delivery.md from the code: `node build/delivery-table.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BROKER_ANSWERS, codeText } from '../src/forward/broker-answers.ts';

const file = join(import.meta.dirname, '../docs/delivery.md');
const head = readFileSync(file, 'utf8').split('\n| PUBACK')[0] ?? '';
const rows = BROKER_ANSWERS.map(({ packet, code, name, handling, waitAtLeastMs, status }) => {
  const wait = waitAtLeastMs === 0 ? '' : `; not before ${waitAtLeastMs / 1000} s`;
  return `| ${packet} ${codeText(packet, code)} | ${name} | ${handling}${wait} | ${status.en} | ${status.fr} |`;
});
writeFileSync(file, `${head}\n${rows.join('\n')}\n`);
