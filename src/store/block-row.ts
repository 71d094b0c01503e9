import type { Block } from './block-codec.ts';
import type { Row } from './database.ts';

const NO_BYTES = new Uint8Array(0);

/** A row of `log`; what a damaged row holds in a wrong type becomes a block whose checksum does not fit. */
export const blockOf = (row: Row): Block => ({
  firstId: Number(row['first_id']),
  count: Number(row['count']),
  minAt: Number(row['min_at']),
  maxAt: Number(row['max_at']),
  crc: Number(row['crc']),
  data: row['data'] instanceof Uint8Array ? row['data'] : NO_BYTES,
});
