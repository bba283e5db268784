import QRCode from 'qrcode';

/** Black on white with its quiet zone of four modules (ISO/IEC 18004), whatever the page around it looks like. */
export function drawQr(url: string): Promise<string> {
  return QRCode.toString(url, { type: 'svg', errorCorrectionLevel: 'M', margin: 4 });
}
