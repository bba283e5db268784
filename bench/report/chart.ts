/** Draws charts as SVG on a white background, so that they are readable on light and dark pages. */
import type { Chart } from '../measure.ts';
import { drawBars } from './bars.ts';
import { drawLines } from './lines.ts';
import { COLOURS, FRAME, label, textOf } from './svg.ts';

export function draw(chart: Chart): string {
  const { width, top } = FRAME;
  const { body, height } = chart.kind === 'bars' ? drawBars(chart) : drawLines(chart);
  const title = `${chart.title}, ${chart.unit}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="13">
<title>${textOf(title)}</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${label(title, { x: 16, y: 26, size: 16 })}
${legend(chart, top - 18)}
${body}
</svg>
`;
}

function legend({ series }: Chart, y: number): string {
  let x = 16;
  return series
    .map(({ name }, at) => {
      const here = x;
      x += 34 + name.length * 7.2;
      return `<rect x="${here}" y="${y - 10}" width="12" height="12" fill="${COLOURS[at % COLOURS.length]}"/>${label(name, { x: here + 18, y })}`;
    })
    .join('\n');
}
