import { open } from 'node:fs/promises';
import { GatewayError, messageOf, systemCode } from '../runtime/errors.ts';

/** "The Database Header" of the SQLite documentation. */
const HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';
/** More than this project will ever have: a bit of the number is wrong. */
const MAX_SCHEMA_VERSION = 1000;

interface Field {
  readonly name: string;
  readonly isSound: (header: Buffer) => boolean;
}

/** Fields with few right values, none of which changes once the store is made; 0 in one without tables. */
const FIELDS: readonly Field[] = [
  { name: 'file format versions', isSound: (header) => [18, 19].every((at) => [1, 2].includes(header.readUInt8(at))) },
  { name: 'payload fractions', isSound: (header) => header.subarray(21, 24).equals(Buffer.of(64, 32, 32)) },
  { name: 'schema format', isSound: (header) => header.readUInt32BE(44) <= 4 },
  { name: 'text encoding', isSound: (header) => header.readUInt32BE(56) <= 1 },
  { name: 'version of the store', isSound: (header) => header.readUInt32BE(60) <= MAX_SCHEMA_VERSION },
];

/**
 * What is wrong in the head of a database file, or null. SQLite answers a flipped bit there with "read-only", "newer version" or
 * "wrong statement", which no restart cures; where it says itself that the file is damaged, nothing is said here.
 */
export async function headerDamage(path: string): Promise<string | null> {
  const header = await readHeader(path);
  if (header === undefined || header.toString('latin1', 0, MAGIC.length) !== MAGIC) return null;
  const field = FIELDS.find(({ isSound }) => !isSound(header));
  return field === undefined ? null : `the head of the file is damaged: ${field.name}`;
}

async function readHeader(path: string): Promise<Buffer | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const header = Buffer.alloc(HEADER_BYTES);
      const { bytesRead } = await file.read(header, 0, HEADER_BYTES, 0);
      return bytesRead === HEADER_BYTES ? header : undefined;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw new GatewayError('STORE_IO', messageOf(error), { context: { path }, cause: error });
  }
}
