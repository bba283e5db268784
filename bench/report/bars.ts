/** Bars that lie: names are long. One group for each name, one bar in it for each series. */
import type { Chart } from '../measure.ts';
import { COLOURS, FRAME, label, round, rule, scaleTo } from './svg.ts';

const BAR = 16;
const GAP = 14;

export function bars({ series }: Chart): { readonly body: string; readonly height: number } {
  const { width, left, right, top, bottom } = FRAME;
  const names = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => String(x))))];
  const group = series.length * BAR + GAP;
  const floor = top + names.length * group;
  const { end, ticks } = scaleTo(Math.max(0, ...series.flatMap(({ points }) => points.map(({ y }) => y))));
  const across = (value: number): number => (Math.max(0, value) / end) * (width - left - right);
  const grid = ticks.map((tick) => {
    const x = left + across(tick);
    return rule([x, top - 4], [x, floor]) + label(String(tick), { x, y: floor + 18, anchor: 'middle' });
  });
  const groups = names.map((name, at) => {
    const y = top + at * group;
    const named = label(name, { x: left - 10, y: y + (group - GAP) / 2 + 5, anchor: 'end' });
    const drawn = series.map(({ points }, of) => {
      const value = points.find(({ x }) => String(x) === name)?.y;
      if (value === undefined) return '';
      const upper = y + of * BAR;
      const colour = COLOURS[of % COLOURS.length];
      return `<rect x="${left}" y="${upper}" width="${round(across(value))}" height="${BAR - 2}" fill="${colour}"/>${label(String(value), { x: left + across(value) + 6, y: upper + 12 })}`;
    });
    return [named, ...drawn].join('\n');
  });
  return { body: [...grid, ...groups].join('\n'), height: floor + bottom };
}
