/** Draws a code as the server does: black on white, with the quiet zone of four modules (ISO/IEC 18004). */
import { encodeQR } from 'qr';

const SVG = 'http://www.w3.org/2000/svg';
const QUIET_MODULES = 4;

/** Draws a code. @returns undefined if the encoder fails */
export function drawCode(url: string): SVGElement | undefined {
  try {
    return draw(url);
  } catch {
    return undefined;
  }
}

function draw(url: string): SVGElement {
  const rows = encodeQR(url, 'raw', { ecc: 'medium', border: QUIET_MODULES });
  const size = rows.length;
  const image = make('svg', { viewBox: `0 0 ${size} ${size}`, 'shape-rendering': 'crispEdges' });
  image.append(
    make('path', { fill: '#ffffff', d: `M0 0h${size}v${size}H0z` }),
    make('path', { stroke: '#000000', d: rows.map(lineOf).join('') }),
  );
  return image;
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
