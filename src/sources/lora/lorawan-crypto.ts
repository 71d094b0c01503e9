import { createCipheriv, createSecretKey, type KeyObject } from 'node:crypto';

/** An AES-128 key with its CMAC subkeys (RFC 4493 §2.3), computed once a session. */
export interface MicKey {
  readonly key: KeyObject;
  readonly k1: Uint8Array;
  readonly k2: Uint8Array;
}

const BLOCK = 16;
const MIC_LENGTH = 4;
const ZERO_BLOCK = Buffer.alloc(BLOCK);
const KEY_TEXT = /^[0-9a-f]{32}$/i;

export const isAesKey = (hex: string): boolean => KEY_TEXT.test(hex);

/** An AES-128 key from 32 hex digits; the caller has checked them with `isAesKey`. */
export const aesKey = (hex: string): KeyObject => createSecretKey(Buffer.from(hex, 'hex'));

export function micKey(hex: string): MicKey {
  const key = aesKey(hex);
  const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  const k1 = doubled(cipher.update(ZERO_BLOCK));
  return { key, k1, k2: doubled(k1) };
}

/** Multiplication by x in GF(2^128), RFC 4493 §2.3. */
function doubled(block: Uint8Array): Uint8Array {
  const result = new Uint8Array(BLOCK);
  for (let index = 0; index < BLOCK; index += 1)
    result[index] = ((block[index] ?? 0) << 1) | ((block[index + 1] ?? 0) >> 7);
  if ((block[0] ?? 0) & 0x80) result[BLOCK - 1] = (result[BLOCK - 1] ?? 0) ^ 0x87;
  return result;
}

/**
 * AES-CMAC (RFC 4493) over `B0 | message`: CMAC is the last block of AES-CBC with a zero vector, once the last input block
 * is padded and masked with a subkey, so one call into the cipher does it.
 */
function cmac({ key, k1, k2 }: MicKey, first: Uint8Array, message: Uint8Array): Buffer {
  const length = first.length + message.length;
  const blocks = Math.ceil(length / BLOCK);
  const input = Buffer.alloc(blocks * BLOCK);
  input.set(first);
  input.set(message, first.length);
  const whole = length === blocks * BLOCK;
  if (!whole) input[length] = 0x80;
  const mask = whole ? k1 : k2;
  const lastAt = input.length - BLOCK;
  for (let index = 0; index < BLOCK; index += 1)
    input[lastAt + index] = (input[lastAt + index] ?? 0) ^ (mask[index] ?? 0);
  const output = createCipheriv('aes-128-cbc', key, ZERO_BLOCK).setAutoPadding(false).update(input);
  return output.subarray(lastAt, lastAt + MIC_LENGTH);
}

/** B0 and A_i share their layout: tag, 4 zero bytes, direction 0 (up), DevAddr and FCnt little-endian, 0, last byte. */
function uplinkBlock(tag: number, phyPayload: Uint8Array, fCnt: number, last: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  block[0] = tag;
  block.set(phyPayload.subarray(1, 5), 6);
  block.writeUInt32LE(fCnt, 10);
  block[15] = last;
  return block;
}

/** Whether a data uplink's MIC is right under the full 32-bit counter (LoRaWAN 1.0.4 §4.4). */
export function isUplinkMicValid(phyPayload: Uint8Array, fCnt: number, nwkSKey: MicKey): boolean {
  const micAt = phyPayload.length - MIC_LENGTH;
  const message = phyPayload.subarray(0, micAt);
  const mic = cmac(nwkSKey, uplinkBlock(0x49, phyPayload, fCnt, message.length), message);
  return mic.equals(phyPayload.subarray(micAt));
}

/**
 * FRMPayload of a data uplink in clear (LoRaWAN 1.0.4 §4.3.3). The key stream S_i = aes(key, A_i) with i counting up from 1
 * in the last byte is AES-CTR starting at A_1; a frame holds at most 16 blocks, so the byte never overflows.
 */
export function decryptUplinkPayload(
  phyPayload: Uint8Array,
  fCnt: number,
  key: KeyObject,
  frmPayload: Uint8Array,
): Uint8Array {
  if (frmPayload.length === 0) return new Uint8Array(0);
  return createCipheriv('aes-128-ctr', key, uplinkBlock(0x01, phyPayload, fCnt, 1)).update(frmPayload);
}
