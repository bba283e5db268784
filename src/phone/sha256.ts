/**
 * SHA-256 (FIPS 180-4) in plain JavaScript, for the hash of the access token in a proof (RFC 9449, section 4.2): React
 * Native has no WebCrypto. This code has no branch and no table look-up that depends on the input.
 */

const BLOCK_BYTES = 64;

type State = readonly [number, number, number, number, number, number, number, number];

/** The first 32 bits of the fractional part of a number. */
const fractionOf = (value: number): number => ((value % 1) * 2 ** 32) | 0;

const primes: number[] = [];
for (let n = 2; primes.length < BLOCK_BYTES; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);

const INITIAL_STATE = primes.slice(0, 8).map((prime) => fractionOf(Math.sqrt(prime))) as unknown as State;
const ROUND_CONSTANTS: readonly number[] = primes.map((prime) => fractionOf(Math.cbrt(prime)));

/** Returns the 32 bytes of the hash. */
export function sha256(message: Uint8Array): Uint8Array {
  // The message, a bit that is set, zeros, and the length in bits (section 5.1.1).
  const padded = new DataView(new ArrayBuffer(((message.length + 72) >> 6) * BLOCK_BYTES));
  new Uint8Array(padded.buffer).set(message);
  padded.setUint8(message.length, 0x80);
  padded.setUint32(padded.byteLength - 4, message.length * 8);
  let state = INITIAL_STATE;
  for (let at = 0; at < padded.byteLength; at += BLOCK_BYTES) state = addBlock(state, padded, at);
  return Uint8Array.from({ length: 32 }, (_, at) => (state[at >> 2] as number) >> (24 - 8 * (at & 3)));
}

/** Returns the state after one more block (section 6.2.2). */
function addBlock(state: State, padded: DataView, offset: number): State {
  const schedule: number[] = [];
  const word = (round: number): number => schedule[round] ?? 0;
  let next = state;
  ROUND_CONSTANTS.forEach((constant, round) => {
    const [a, b, c, d, e, f, g, h] = next;
    schedule[round] =
      round < 16
        ? padded.getInt32(offset + 4 * round)
        : (word(round - 16) + word(round - 7) + mix(word(round - 15), 7, 18, 3) + mix(word(round - 2), 17, 19, 10)) | 0;
    const first = h + rotate(e, 6, 11, 25) + ((e & f) ^ (~e & g)) + constant + word(round);
    const second = rotate(a, 2, 13, 22) + ((a & b) ^ (a & c) ^ (b & c));
    next = [(first + second) | 0, a, b, c, (d + first) | 0, e, f, g];
  });
  return next.map((value, at) => (value + (state[at] as number)) | 0) as unknown as State;
}

const right = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

const rotate = (word: number, x: number, y: number, z: number): number =>
  right(word, x) ^ right(word, y) ^ right(word, z);

const mix = (word: number, x: number, y: number, shift: number): number =>
  right(word, x) ^ right(word, y) ^ (word >>> shift);
