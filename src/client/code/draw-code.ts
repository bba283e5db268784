/** Draws a code as the server does: black on white, with the quiet zone of four modules (ISO/IEC 18004). */
import { encodeQR } from 'qr';

const SVG = 'http://www.w3.org/2000/svg';
const QUIET_MODULES = 4;
/** The widest picture in CSS pixels. A module is a whole number of pixels wide. */
const MAX_WIDTH_PX = 336;

/**
 * Draws a code.
 * @param mark the URL of a picture for the middle of the code, which then has more redundancy (level H)
 * @returns undefined if the encoder fails
 */
export function drawCode(url: string, mark?: string): SVGElement | undefined {
  try {
    return draw(url, mark);
  } catch {
    return undefined;
  }
}

function draw(url: string, mark: string | undefined): SVGElement {
  const rows = encodeQR(url, 'raw', { ecc: mark ? 'high' : 'medium', border: QUIET_MODULES });
  const size = rows.length;
  const width = `${size * Math.floor(MAX_WIDTH_PX / size)}`;
  const image = make('svg', { width, height: width, viewBox: `0 0 ${size} ${size}`, 'shape-rendering': 'crispEdges' });
  image.append(
    make('path', { fill: '#ffffff', d: `M0 0h${size}v${size}H0z` }),
    make('path', { stroke: '#000000', d: rows.map(lineOf).join('') }),
  );
  if (mark) image.append(...middle(size, mark));
  return image;
}

/** Returns the picture in the middle, on a white ground that is a module larger on each side. */
function middle(size: number, href: string): SVGElement[] {
  const hole = markModules(size - 2 * QUIET_MODULES);
  const square = (side: number): Record<string, string> => {
    const from = `${(size - side) / 2}`;
    return { x: from, y: from, width: `${side}`, height: `${side}` };
  };
  return [make('rect', { fill: '#ffffff', ...square(hole) }), make('image', { href, ...square(hole - 2) })];
}

/** Returns the side of the white ground in modules: a fifth of the code's side. Level H restores more than it hides. */
function markModules(size: number): number {
  return 2 * Math.floor(size / 10) + 1;
}

/** Returns the dark modules of a row as lines along its middle. */
function lineOf(row: readonly boolean[], y: number): string {
  let line = '';
  for (let x = 0; x < row.length; x++) {
    const from = x;
    while (row[x]) x++;
    if (x > from) line += `M${from} ${y + 0.5}h${x - from}`;
  }
  return line;
}

function make(name: string, attributes: Record<string, string>): SVGElement {
  const element = document.createElementNS(SVG, name) as SVGElement;
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  return element;
}
