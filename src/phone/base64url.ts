/** Converts text to bytes and bytes to text, without `TextEncoder` and `btoa`, which not every engine has. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Returns bytes in base64url without padding (RFC 4648, section 5). */
export function toBase64url(bytes: Uint8Array): string {
  let text = '';
  let [value, bits] = [0, 0];
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text += ALPHABET[(value >> bits) & 63];
    }
  }
  return bits ? text + ALPHABET[(value << (6 - bits)) & 63] : text;
}

/** Returns text in UTF-8. @throws URIError if the text has a lone surrogate */
export function toUtf8(text: string): Uint8Array {
  return Uint8Array.from(unescapeBytes(encodeURIComponent(text)), (character) => character.charCodeAt(0));
}

/**
 * Replaces each percent-escape in a text by the character whose code is the escaped byte. A text without escapes stays
 * as it is.
 */
export function unescapeBytes(text: string): string {
  return text.replace(/%(..)/g, (_escape, hex) => String.fromCharCode(Number(`0x${hex}`)));
}
