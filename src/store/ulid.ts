/** Crockford's base 32, as the ULID specification orders it. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_CHARACTERS = 10;
const RANDOM_CHARACTERS = 16;

/** Milliseconds since 1970 that a ULID begins with. */
export function ulidTimeMs(text: string): number {
  let time = 0;
  for (const character of text.slice(0, TIME_CHARACTERS)) time = time * 32 + ALPHABET.indexOf(character);
  return time;
}

/** A ULID (github.com/ulid/spec): 48 bits of milliseconds, 80 random bits, 26 characters. */
export function ulid(nowMs: number, random: () => number): string {
  let time = '';
  for (let rest = Math.max(0, Math.floor(nowMs)); time.length < TIME_CHARACTERS; rest = Math.floor(rest / 32)) {
    time = ALPHABET.charAt(rest % 32) + time;
  }
  return time + Array.from({ length: RANDOM_CHARACTERS }, () => ALPHABET.charAt(Math.floor(random() * 32))).join('');
}
