/**
 * Writes an animated PNG (PNG Third Edition, section 11.3.4): each frame contains only the rectangle that has changed.
 */
import { crc32, deflateSync } from 'node:zlib';
import { PNG } from 'pngjs';

export interface AnimationFrame {
  /** The frame as a PNG file. All frames have the same size. */
  readonly picture: Buffer;
  /** The time for which it is shown, in milliseconds. */
  readonly lastsMs: number;
}

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const EIGHT_BITS_RGB = Buffer.from([8, 2, 0, 0, 0]);
const BYTES = 3;

/** Returns the content of the PNG file. The animation repeats without end. */
export function animatedPng(frames: readonly AnimationFrame[]): Buffer {
  const pictures = frames.map(({ picture }) => PNG.sync.read(picture));
  const [first] = pictures;
  if (first === undefined) throw new Error('an animation has at least one frame');
  const { width, height } = first;
  const chunks = [
    chunk('IHDR', Buffer.concat([numbers(width, height), EIGHT_BITS_RGB])),
    chunk('acTL', numbers(frames.length, 0)),
  ];
  let sequence = 0;
  for (const [index, picture] of pictures.entries()) {
    const before = pictures[index - 1];
    const area = before === undefined ? { x: 0, y: 0, width, height } : changedArea(before, picture);
    const delay = Buffer.alloc(6);
    delay.writeUInt16BE(frames[index]?.lastsMs ?? 0, 0);
    delay.writeUInt16BE(1000, 2);
    const { x, y } = area;
    chunks.push(chunk('fcTL', Buffer.concat([numbers(sequence++, area.width, area.height, x, y), delay])));
    const pixels = deflateSync(filtered(picture, area), { level: 9 });
    if (before === undefined) chunks.push(chunk('IDAT', pixels));
    else chunks.push(chunk('fdAT', Buffer.concat([numbers(sequence++), pixels])));
  }
  return Buffer.concat([SIGNATURE, ...chunks, chunk('IEND', Buffer.alloc(0))]);
}

/** Returns the smallest rectangle that contains every changed pixel, or one pixel if no pixel has changed. */
function changedArea(before: PNG, { width, height, data }: PNG): Rectangle {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 4;
      if (data.readUInt32BE(at) === before.data.readUInt32BE(at)) continue;
      [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
    }
  }
  if (left > right) return { x: 0, y: 0, width: 1, height: 1 };
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/**
 * Returns the rows of a rectangle, each with the filter that is likely to make the file smallest (PNG, section 12.7).
 */
function filtered({ width, data }: PNG, area: Rectangle): Buffer {
  const rows: Buffer[] = [];
  let above = Buffer.alloc(area.width * BYTES);
  for (let y = area.y; y < area.y + area.height; y++) {
    const row = Buffer.alloc(area.width * BYTES);
    for (let x = 0; x < area.width; x++)
      data.copy(row, x * BYTES, (y * width + area.x + x) * 4, (y * width + area.x + x) * 4 + BYTES);
    const up = above;
    const filters = [
      row,
      row.map((value, at) => value - (row[at - BYTES] ?? 0)),
      row.map((value, at) => value - (up[at] ?? 0)),
    ];
    const costs = filters.map((bytes) => bytes.reduce((sum, value) => sum + Math.min(value, 256 - value), 0));
    const best = costs.indexOf(Math.min(...costs));
    rows.push(Buffer.from([best]), Buffer.from(filters[best] ?? row));
    above = row;
  }
  return Buffer.concat(rows);
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  return Buffer.concat([numbers(content.length), body, numbers(crc32(body))]);
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}
