/** The decoder of the package `qr`, which the build puts beside these scripts (`scripts/decoder.mjs`). */
export { decodeQR } from 'qr/decode.js';
