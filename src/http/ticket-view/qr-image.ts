import QRCode, { type QRCodeByteSegment } from 'qrcode';
import { BoundedCache } from '../request/bounded-cache.ts';

/** The width of the light margin in modules (ISO/IEC 18004, section 6.3.8). */
const QUIET_MODULES = 4;
/**
 * The mask pattern that scores best most often. Trying all eight takes ten times as long and does not help decoders.
 */
const MASK = 2;
/** The number of cached images, 2.5 KB each. A page, its other tabs and a reload ask for the same code. */
const MAX_IMAGES = 256;

/** The widest picture in CSS pixels. A module is a whole number of pixels wide, so that all are equally wide. */
const MAX_WIDTH_PX = 336;

/** Draws codes as SVG, and caches the latest images. */
export class QrImages {
  readonly #images = new BoundedCache<string>(MAX_IMAGES);
  readonly #mark: string | undefined;

  /**
   * @param mark the URL of the picture in the middle of each code, if there is one. Such a code has level H, which
   * restores 30 % of its data (ISO/IEC 18004, section 6.5.1); others have level M.
   */
  constructor(mark?: string) {
    this.#mark = mark;
  }

  draw(url: string): string {
    return this.#images.getOrCompute(url, (text) => drawQr(text, this.#mark));
  }
}

/** Returns the code as SVG: black on white with its quiet zone, independent of the colours of the page. */
function drawQr(url: string, mark: string | undefined): string {
  // Encode the address as one segment: a search for a shorter encoding takes longer than the rest of the work, and
  // finds none.
  const text: QRCodeByteSegment = { data: Buffer.from(url), mode: 'byte' };
  const { modules } = QRCode.create([text], {
    errorCorrectionLevel: mark === undefined ? 'M' : 'H',
    maskPattern: MASK,
  });
  const all = modules.size + 2 * QUIET_MODULES;
  const width = all * Math.floor(MAX_WIDTH_PX / all);
  // SVG draws a stroke centred on its line, so the view box starts half a module higher.
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${width}" viewBox="-${QUIET_MODULES} -${QUIET_MODULES}.5 ${all} ${all}" shape-rendering="crispEdges">`,
    `<path fill="#fff" d="M-${QUIET_MODULES}-${QUIET_MODULES}.5h${all}v${all}h-${all}z"/><path stroke="#000" d="`,
    ...linesOf(modules),
    '"/>',
    mark === undefined ? '' : drawMark(modules.size, mark),
    '</svg>',
  ].join('');
}

/**
 * Returns the picture in the middle, on a white ground that is a module larger on each side and covers a fifth of the
 * code's width.
 */
function drawMark(size: number, mark: string): string {
  const hole = 2 * Math.floor(size / 10) + 1;
  const square = (side: number): string => {
    const from = (size - side) / 2;
    return `x="${from}" y="${from - 0.5}" width="${side}" height="${side}"`;
  };
  return `<rect fill="#fff" ${square(hole)}/><image href="${mark}" ${square(hole - 2)}/>`;
}

/** Returns the path data of the dark modules: row by row, one line for each run of modules. */
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
