import QRCode, { type QRCodeByteSegment } from 'qrcode';
import { BoundedCache } from '../request/bounded-cache.ts';

/** Light modules all around (ISO/IEC 18004, section 6.3.8). */
const QUIET = 4;
/** The one that comes out best most often: trying all eight takes ten times as long, and no decoder reads more. */
const MASK = 2;
/** Of those that are waited for, a page, its other tabs, a reload; 2.5 KB each. */
const KEPT = 256;

/** Draws codes as SVG, those of the last moments once. */
export class QrImages {
  readonly #drawn = new BoundedCache<string>(KEPT);

  draw(url: string): string {
    return this.#drawn.getOrCompute(url, drawQr);
  }
}

/** Black on white with its quiet zone, whatever the page around it looks like. */
function drawQr(url: string): string {
  // In one piece: looking for a shorter way to write the address takes longer than all else, and finds none.
  const text: QRCodeByteSegment = { data: Buffer.from(url), mode: 'byte' };
  const { modules } = QRCode.create([text], { errorCorrectionLevel: 'M', maskPattern: MASK });
  const all = modules.size + 2 * QUIET;
  // Lines are drawn along their middle: where they begin is half a module below the edge.
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-${QUIET} -${QUIET}.5 ${all} ${all}" shape-rendering="crispEdges">`,
    `<path fill="#fff" d="M-${QUIET}-${QUIET}.5h${all}v${all}h-${all}z"/><path stroke="#000" d="`,
    ...linesOf(modules),
    '"/></svg>',
  ].join('');
}

/** What is dark, row by row, each run of modules as one line. */
function linesOf({ size, data }: { readonly size: number; readonly data: Uint8Array }): string[] {
  const lines: string[] = [];
  for (let y = 0; y < size; y++) {
    const row = y * size;
    let end = -1;
    for (let x = 0; x < size; x++) {
      const from = x;
      while (x < size && data[row + x] === 1) x++;
      if (x === from) continue;
      lines.push(end < 0 ? `M${from} ${y}h${x - from}` : `m${from - end} 0h${x - from}`);
      end = x;
    }
  }
  return lines;
}
