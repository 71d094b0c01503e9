import { readFile } from 'node:fs/promises';
import { GatewayError, messageOf, systemCode } from '../runtime/errors.ts';

/** "WAL Format" of the SQLite documentation: a header, then frames of a head and a page. */
const HEADER_BYTES = 32;
const FRAME_HEAD_BYTES = 24;
/** Magic number without its last bit, which says in which byte order words are summed. */
const MAGIC = 0x377f0682;

/**
 * Whether a write-ahead log holds committed transactions behind a frame that does not fit. SQLite silently leaves them out,
 * with every number they gave, so that numbering would go on with numbers that were used. A frame torn by a power cut lies in
 * the last transaction only, as each COMMIT syncs the log before the next begins.
 */
export async function isWalDamaged(path: string): Promise<boolean> {
  try {
    return hasCommitsBehindDamage(await readFile(path));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw new GatewayError('STORE_IO', messageOf(error), { context: { path }, cause: error });
  }
}

export function hasCommitsBehindDamage(wal: Buffer): boolean {
  if (wal.length < HEADER_BYTES + FRAME_HEAD_BYTES) return false;
  const magic = wal.readUInt32BE(0);
  const pageBytes = wal.readUInt32BE(8);
  const isKnown = magic >>> 1 === MAGIC >>> 1 && pageBytes >= 512 && pageBytes <= 65_536;
  const sum = new Checksum((magic & 1) === 1);
  if (!isKnown || !sum.add(wal, 0, 24).equals(wal, 24)) return hasFrames(wal, pageBytes);
  const frameBytes = FRAME_HEAD_BYTES + pageBytes;
  let isBroken = false;
  let commits = 0;
  for (let at = HEADER_BYTES; at + frameBytes <= wal.length; at += frameBytes) {
    const isOurs = wal.compare(wal, 16, 24, at + 8, at + 16) === 0;
    if (!isBroken) {
      isBroken =
        !isOurs ||
        !sum
          .add(wal, at, 8)
          .add(wal, at + FRAME_HEAD_BYTES, pageBytes)
          .equals(wal, at + 16);
    }
    // What follows a whole transaction behind the damage was begun after that one had been synced.
    if (isBroken && isOurs && commits > 0) return true;
    if (isBroken && isOurs && wal.readUInt32BE(at + 4) !== 0) commits += 1;
  }
  return false;
}

/** The header is written and synced before the first frame: frames of one run behind a header that does not fit are a loss. */
function hasFrames(wal: Buffer, pageBytes: number): boolean {
  const isPlausible = pageBytes >= 512 && pageBytes <= 65_536 && (pageBytes & (pageBytes - 1)) === 0;
  const frameBytes = FRAME_HEAD_BYTES + (isPlausible ? pageBytes : 1024);
  return wal.length >= HEADER_BYTES + frameBytes && wal.readUInt32BE(HEADER_BYTES) !== 0;
}

/** The running sum over header and frames. */
class Checksum {
  readonly #isBigEndian: boolean;
  #first = 0;
  #second = 0;

  constructor(isBigEndian: boolean) {
    this.#isBigEndian = isBigEndian;
  }

  add(bytes: Buffer, from: number, length: number): this {
    let [first, second] = [this.#first, this.#second];
    for (let at = from; at < from + length; at += 8) {
      first = (first + second + (this.#isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at))) >>> 0;
      second = (second + first + (this.#isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4))) >>> 0;
    }
    [this.#first, this.#second] = [first, second];
    return this;
  }

  equals(bytes: Buffer, at: number): boolean {
    return bytes.readUInt32BE(at) === this.#first && bytes.readUInt32BE(at + 4) === this.#second;
  }
}
