/** The encoder of the package `qr`, which the build puts beside these scripts (`scripts/build-qr-libraries.mjs`). */
export { encodeQR } from 'qr';
