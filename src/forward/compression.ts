import { promisify } from 'node:util';
import { deflate, inflate, zstdCompress, zstdDecompress } from 'node:zlib';
import type { Encoding } from '../model/batch.ts';

/** A body that unpacks to more than this is not one of ours. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

const pack = { deflate: promisify(deflate), zstd: promisify(zstdCompress) };
const unpack = { deflate: promisify(inflate), zstd: promisify(zstdDecompress) };

/** Compresses outside the main thread; `deflate` is the zlib format of RFC 1950. */
export async function compress(body: Uint8Array, encoding: Encoding): Promise<Uint8Array> {
  return encoding === 'identity' ? body : pack[encoding](body);
}

/** Rejects when the bytes are not of that encoding or unpack to more than `MAX_UNPACKED_BYTES`. */
export async function decompress(body: Uint8Array, encoding: Encoding): Promise<Uint8Array> {
  return encoding === 'identity' ? body : unpack[encoding](body, { maxOutputLength: MAX_UNPACKED_BYTES });
}
