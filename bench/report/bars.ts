/** Draws horizontal bars, because the names are long: a group for each name, and in it a bar for each series. */
import type { Chart } from '../measure.ts';
import { COLOURS, FRAME, label, round, rule, scaleTo } from './svg.ts';

const BAR_PX = 16;
const GAP_PX = 14;

export function drawBars({ series }: Chart): { readonly body: string; readonly height: number } {
  const { width, left, right, top, bottom } = FRAME;
  const names = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => String(x))))];
  const group = series.length * BAR_PX + GAP_PX;
  const floor = top + names.length * group;
  const { end, ticks } = scaleTo(Math.max(0, ...series.flatMap(({ points }) => points.map(({ y }) => y))));
  const across = (value: number): number => (Math.max(0, value) / end) * (width - left - right);
  const grid = ticks.map((tick) => {
    const x = left + across(tick);
    return rule([x, top - 4], [x, floor]) + label(String(tick), { x, y: floor + 18, anchor: 'middle' });
  });
  const groups = names.map((name, at) => {
    const y = top + at * group;
    const named = label(name, { x: left - 10, y: y + (group - GAP_PX) / 2 + 5, anchor: 'end' });
    const drawn = series.map(({ points }, index) => {
      const value = points.find(({ x }) => String(x) === name)?.y;
      if (value === undefined) return '';
      const upper = y + index * BAR_PX;
      const colour = COLOURS[index % COLOURS.length];
      return `<rect x="${left}" y="${upper}" width="${round(across(value))}" height="${BAR_PX - 2}" fill="${colour}"/>${label(String(value), { x: left + across(value) + 6, y: upper + 12 })}`;
    });
    return [named, ...drawn].join('\n');
  });
  return { body: [...grid, ...groups].join('\n'), height: floor + bottom };
}
