/** The QR decoder, as a script of its own: it is large, and only the camera page needs it. */
export { decodeQR } from 'qr/decode.js';
