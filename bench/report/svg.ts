/** Draws the parts that all charts are made of: texts, lines and scales. */

/** Each colour has a contrast of at least 3 : 1 on white (WCAG 2.2, 1.4.11); they also differ in lightness. */
export const COLOURS = ['#1f4e9c', '#c2571a', '#2b7a4b', '#7a3b8f', '#6b6b6b'] as const;
const INK = '#1a1a1a';
const GRID = '#c8c8c8';

/** The sides of a chart in pixels. `top` has room for title and legend, `left` for names. */
export const FRAME = { width: 940, left: 350, right: 70, top: 70, bottom: 46 } as const;

interface Place {
  readonly x: number;
  readonly y: number;
  readonly size?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
}

export function label(text: string, { x, y, size, anchor }: Place): string {
  const larger = size === undefined ? '' : ` font-size="${size}"`;
  const at = anchor === undefined ? '' : ` text-anchor="${anchor}"`;
  return `<text x="${round(x)}" y="${round(y)}" fill="${INK}"${larger}${at}>${textOf(text)}</text>`;
}

export function textOf(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

export function rule(from: readonly [number, number], to: readonly [number, number]): string {
  return `<path d="M${from.map(round)}L${to.map(round)}" stroke="${GRID}"/>`;
}

/** Returns about five round numbers, from zero to at least `greatest`. */
export function scaleTo(greatest: number): { readonly end: number; readonly ticks: readonly number[] } {
  const rough = Math.max(greatest, Number.MIN_VALUE) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const count = Math.ceil(greatest / step);
  return {
    end: count * step,
    ticks: Array.from({ length: count + 1 }, (_, at) => Number((at * step).toPrecision(6))),
  };
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
