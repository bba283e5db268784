/** Draws lines over a numeric axis; both axes start at zero. */
import type { Chart } from '../measure.ts';
import { COLOURS, FRAME, label, round, rule, scaleTo } from './svg.ts';

const HEIGHT_PX = 420;
/** Less than `FRAME.left`, because there are no names at the side. */
const LEFT_PX = 70;

export function drawLines({ series }: Chart): { readonly body: string; readonly height: number } {
  const { width, right, top, bottom } = FRAME;
  const floor = HEIGHT_PX - bottom;
  const all = series.flatMap(({ points }) => points);
  const across = scaleTo(Math.max(0, ...all.map(({ x }) => Number(x))));
  const up = scaleTo(Math.max(0, ...all.map(({ y }) => y)));
  const xOf = (value: number): number => LEFT_PX + (value / across.end) * (width - LEFT_PX - right);
  const yOf = (value: number): number => floor - (value / up.end) * (floor - top);
  const grid = [
    ...up.ticks.map(
      (tick) =>
        rule([LEFT_PX, yOf(tick)], [width - right, yOf(tick)]) +
        label(String(tick), { x: LEFT_PX - 8, y: yOf(tick) + 5, anchor: 'end' }),
    ),
    ...across.ticks.map((tick) => label(String(tick), { x: xOf(tick), y: floor + 20, anchor: 'middle' })),
  ];
  const drawn = series.map(({ points }, at) => {
    const colour = COLOURS[at % COLOURS.length];
    const places = points.map(({ x, y }) => `${round(xOf(Number(x)))},${round(yOf(y))}`);
    const dots = points.map(
      ({ x, y }) => `<circle cx="${round(xOf(Number(x)))}" cy="${round(yOf(y))}" r="4" fill="${colour}"/>`,
    );
    return [`<polyline points="${places.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`, ...dots].join(
      '\n',
    );
  });
  return { body: [...grid, ...drawn].join('\n'), height: HEIGHT_PX };
}
