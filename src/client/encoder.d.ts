/** The encoder of the package `qr`, which the build puts beside these scripts (`scripts/decoder.mjs`). */
export { encodeQR } from 'qr';
